# One wall by every door: the same facts hold inside, whichever program opened the session.
load lib

setup_file() {
	make_person dora
	make_project dora doors >/dev/null
	as_person dora clsecure add /home/dora/doors --name doors
	install -m 755 "$BATS_TEST_DIRNAME/wall.sh" /home/dora/doors/wall.sh
	chown dora: /home/dora/doors/wall.sh
}

teardown_file() {
	as_person dora clsecure remove --yes doors
}

fact() {
	sed -n "s/^$1=//p" <<<"$output"
}

# assert_walled: what `run` printed is wall.sh's from inside the wall.
assert_walled() {
	local set ns uid
	assert_has $'\nend'
	uid=$(id -u claude-worker-doors)
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		assert_equal "$set=$(fact "$set")" "$set=0000000000000000"
	done
	assert_equal "$(fact NoNewPrivs)" 1
	assert_equal "$(fact Seccomp)" 2
	assert_equal "$(fact Uid)" "$uid $uid $uid $uid"
	assert_equal "$(fact Gid)" "$uid $uid $uid $uid"
	assert_match "Groups=($uid)? ?"$'\n'
	for ns in mnt pid net ipc uts cgroup; do
		[ -n "$(fact "$ns")" ] || fail "no namespace $ns"
		[ "$(fact "$ns")" != "$(readlink "/proc/self/ns/$ns")" ] || fail "the host's namespace $ns"
	done
	# only the sandbox's own processes
	[ "$(fact pids)" -le 12 ] || fail "$(fact pids) processes: $(fact comms)"
	[[ $(fact comms) != *systemd* ]] && [[ $(fact comms) != *cron* ]]
	assert_equal "$(fact home)" "claude-worker-doors dora "
	assert_equal "$(fact dev)" "fd full log null ptmx pts random shm stderr stdin stdout tty urandom zero "
	assert_equal "$(fact links)" "lo "
	assert_equal "$(fact connect)" unreachable
	[[ $(fact shadow) == *denied* || $(fact shadow) == *'No such file'* ]] || fail "shadow: $(fact shadow)"
	assert_equal "$(fact capsh)" "="
	assert_equal "$(fact setuid)" "not permitted"
	assert_equal "$(fact rootwrite)" 6
	assert_equal "$(fact whoami)" claude-worker-doors
	assert_equal "$(fact fd)" ""
}

wall='bash /home/dora/doors/wall.sh'

@test "ssh to the worker, a command" {
	run ssh_as dora claude-worker-doors@localhost "$wall"
	assert_walled
	assert_has 'tty=not a tty'
}

@test "ssh to the worker, on a terminal" {
	run ssh_as dora -tt claude-worker-doors@localhost "$wall"
	output=${output//$'\r'/}
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "the gateway, a command" {
	run ssh_as dora claude@localhost doors "$wall"
	assert_walled
}

@test "the gateway, on a terminal" {
	run ssh_as dora -tt claude@localhost doors "$wall"
	output=${output//$'\r'/}
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "clsecure exec" {
	run as_person dora clsecure exec doors $wall
	assert_walled
}

@test "clsecure shell" {
	run on_pty as_person dora clsecure shell doors "$wall"
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "clsecure exec by root" {
	run clsecure exec doors $wall
	assert_walled
}

@test "su by root: su -, su, su --pty" {
	run su - claude-worker-doors -c "$wall"
	assert_walled
	run su claude-worker-doors -c "$wall"
	assert_walled
	run on_pty su --pty - claude-worker-doors -c "$wall"
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "su - by root on a terminal: the terminal is a pty of the sandbox" {
	run on_pty su - claude-worker-doors -c "$wall"
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "su - by the project's owner, without a password" {
	run on_pty as_person dora su - claude-worker-doors -c "$wall"
	assert_walled
}

@test "su - by another person is refused" {
	make_person mallory
	run as_person mallory sh -c "echo wrong | su - claude-worker-doors -c '$wall'"
	[ "$status" -ne 0 ]
	assert_has 'Authentication failure'
	refute_has CapEff
}

@test "runuser -l and runuser -u" {
	run runuser -l claude-worker-doors -c "$wall"
	assert_walled
	run runuser -u claude-worker-doors -- $wall
	assert_walled
}

@test "a door that is not in AllowServices opens nothing" {
	run on_pty su - dora -c "true"
	assert_status 0
	cp /etc/pam.d/su /etc/pam.d/clsecure-test
	run pamtester clsecure-test claude-worker-doors acct_mgmt
	[ "$status" -ne 0 ]
	run pamtester clsecure-test claude-worker-doors open_session
	[ "$status" -ne 0 ]
	rm /etc/pam.d/clsecure-test
}

@test "afterwards nothing is left" {
	gone() { [ -z "$(pgrep -u claude-worker-doors; pgrep -f 'clsecure-keeper.*doors')" ]; }
	eventually 5 gone
	[ ! -e /run/clsecure/doors/keeper.sock ]
}
