# For the tests of doors: a project in which wall.sh can be run, and what it has to say.
# shellcheck shell=bash

# make_walled PERSON PROJECT: a person and a project of hers, with wall.sh in it.
make_walled() {
	make_person "$1"
	make_project "$1" "$2" >/dev/null
	as_person "$1" clsecure add "/home/$1/$2" --name "$2"
	install -m 755 "$BATS_TEST_DIRNAME/wall.sh" "/home/$1/$2/wall.sh"
	chown "$1:" "/home/$1/$2/wall.sh"
}

fact() {
	sed -n "s/^$1=//p" <<<"$output"
}

# assert_walled [PERSON PROJECT]: what `run` printed is wall.sh's from inside the wall.
assert_walled() {
	local person=${1:-dora} project=${2:-doors} set ns uid
	local worker=claude-worker-$project
	output=${output//$'\r'/}
	assert_has $'\nend'
	uid=$(id -u "$worker")
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
	[ "$(fact pids)" -le 20 ] || fail "$(fact pids) processes: $(fact comms)"
	[[ $(fact comms) != *systemd* ]] && [[ $(fact comms) != *cron* ]]
	assert_equal "$(fact home)" "$worker $person "
	assert_equal "$(fact dev)" "fd full log null ptmx pts random shm stderr stdin stdout tty urandom zero "
	assert_equal "$(fact links)" "lo "
	assert_equal "$(fact connect)" unreachable
	[[ $(fact shadow) == *denied* || $(fact shadow) == *'No such file'* ]] || fail "shadow: $(fact shadow)"
	assert_equal "$(fact capsh)" "="
	assert_equal "$(fact setuid)" "not permitted"
	assert_equal "$(fact rootwrite)" 6
	assert_equal "$(fact whoami)" "$worker"
	assert_equal "$(fact fd)" ""
}
