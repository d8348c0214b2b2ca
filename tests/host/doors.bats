# One wall by every door: the same facts hold inside, whichever program opened the session.
# also: vm
load lib
load walled

setup_file() {
	make_walled dora doors
}

teardown_file() {
	as_person dora clsecure remove --yes doors
}

wall='bash /home/dora/doors/wall.sh'

@test "ssh to the worker, a command" {
	run ssh_as dora claude-worker-doors@localhost "$wall"
	assert_walled
	assert_has 'tty=not a tty'
}

@test "ssh to the worker, on a terminal" {
	run ssh_as dora -tt claude-worker-doors@localhost "$wall"
	assert_walled
	assert_has 'tty=/dev/pts/'
}

@test "the gateway, a command" {
	run ssh_as dora claude@localhost doors "$wall"
	assert_walled
}

@test "the gateway, on a terminal" {
	run ssh_as dora -tt claude@localhost doors "$wall"
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

@test "su -m, su -s: root's shell and environment, inside; a person gets the login shell and its environment" {
	local -a given=(SHELL=/bin/dash ENV=/none BASH_ENV=/none LD_LIBRARY_PATH=/none SECRET=outside)
	local tell='readlink /proc/$$/exe; env; '
	for how in -m '-s /bin/dash'; do
		run env "${given[@]}" su $how claude-worker-doors -c "$tell$wall"
		assert_walled
		assert_equal "${lines[0]}" /usr/bin/dash
		run as_person dora env "${given[@]}" su $how claude-worker-doors -c "$tell$wall"
		assert_walled
		assert_has /usr/bin/bash
		refute_has SECRET
		refute_has ENV=
		refute_has LD_LIBRARY_PATH
	done
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
