# systemd's own way to a user (machinectl shell, PAMName=): it execs without a fork, so the module forks.
load lib
load walled

W=claude-worker-sdapp
DIR=/home/sdora/sdapp
wall="bash $DIR/wall.sh"

setup_file() {
	make_walled sdora sdapp
	gcc -o /usr/local/bin/nofork "$BATS_TEST_DIRNAME/nofork.c" -lpam
	mkdir -p /opt/fake
	cp /usr/local/bin/nofork /opt/fake/systemd-executor
}

teardown() {
	systemctl stop -q clsecure-test.service 2>/dev/null || :
	systemctl reset-failed -q clsecure-test.service 2>/dev/null || :
}

teardown_file() {
	as_person sdora clsecure remove --yes sdapp
	rm -r /usr/local/bin/nofork /opt/fake
}

# as_unit ARGUMENTS...: systemd's exec with PAM, for the worker
as_unit() {
	timeout 20 systemd-run -q --collect -p PAMName=login -p User=$W "$@"
}

stand() { pgrep -x clsecure-stand; }

no_stand() { [ -z "$(stand)" ]; }

started() { [ -n "$(stand)" ] && [ -e $DIR/started ]; }

# A unit that runs until it is ended; $stand is the process that stands for it.
start_unit() {
	eventually 5 no_stand
	rm -f $DIR/started $DIR/ended
	as_unit -u clsecure-test.service sh -c "trap 'echo term >$DIR/ended; exit 5' TERM; touch $DIR/started
		while :; do sleep .1; done"
	eventually 10 started
	stand=$(stand)
}

@test "machinectl shell, a program: every namespace" {
	run on_pty timeout 20 machinectl -q shell $W@.host /bin/bash $DIR/wall.sh
	assert_walled sdora sdapp
	assert_has 'tty=/dev/pts/'
}

@test "machinectl shell: the login shell, with job control" {
	run timeout 30 expect "$BATS_TEST_DIRNAME/typed.exp" "$wall; exit" machinectl -q shell $W@.host
	assert_walled sdora sdapp
	assert_has 'tty=/dev/pts/'
}

@test "machinectl shell: all of the output, down to the last line" {
	run on_pty timeout 30 machinectl -q shell $W@.host /usr/bin/seq 100000
	assert_equal "${#lines[@]}" 100000
	assert_equal "${lines[-1]}" 100000
}

@test "systemd-run --pipe and -t: every namespace" {
	run as_unit --wait --pipe $wall </dev/null
	assert_walled sdora sdapp
	run on_pty timeout 20 systemd-run -q --collect -p PAMName=login -p User=$W --wait -t $wall
	assert_walled sdora sdapp
	assert_has 'tty=/dev/pts/'
}

@test "the exit status passes, a signal too" {
	run as_unit --wait --pipe sh -c 'exit 7' </dev/null
	assert_status 7
	run as_unit --wait --pipe /home/none </dev/null
	[ "$status" -ne 0 ]
	run bash -c "timeout 20 systemd-run --wait -p PAMName=login -p User=$W sh -c 'kill -9 \$\$\$\$' 2>&1"
	assert_has 'code=killed/status=KILL'
}

@test "what stands for the program holds nothing" {
	start_unit
	run ls "/proc/$stand/fd"
	assert_output ''
	run cat "/proc/$stand/status"
	assert_match $'CapPrm:\t0000000000000020\n'
	assert_match $'CapEff:\t0000000000000020\n'
	assert_match $'CapBnd:\t0000000000000000\n'
	assert_match $'NoNewPrivs:\t1\n'
	assert_match $'Seccomp:\t2\n'
	[ "$(readlink "/proc/$stand/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

@test "it hands signals on" {
	start_unit
	kill -TERM "$stand"
	eventually 5 test -s $DIR/ended
	eventually 5 no_stand
}

@test "the session is its life: with it the program ends, though another session holds the sandbox" {
	start_unit
	rm -f $DIR/stop
	ssh_as sdora $W@localhost "until [ -e $DIR/stop ]; do sleep .1; done" </dev/null 3>&- &
	other=$!
	sessions() { [ "$(clsecure sessions sdapp | grep -c 'sdapp:')" = "$1" ]; }
	eventually 10 sessions 2
	eventually 10 pgrep -u $W -f "$DIR/stop"
	kill -KILL "$stand"
	eventually 2 sessions 1
	gone() { ! pgrep -u $W -f "$DIR/ended"; }
	eventually 2 gone
	pgrep -u $W -f "$DIR/stop"
	touch $DIR/stop
	wait "$other"
}

@test "the program's end is the session's" {
	start_unit
	kill -KILL "$(pgrep -P "$stand")"
	eventually 2 no_stand
	run systemctl is-active clsecure-test.service
	[ "$status" -ne 0 ]
}

@test "systemd-executor of later versions, and a program that only says so" {
	run timeout 20 systemd-run -q --collect --wait --pipe /opt/fake/systemd-executor login $W /bin/bash $DIR/wall.sh </dev/null
	assert_walled sdora sdapp
	run timeout 20 /opt/fake/systemd-executor login $W /bin/bash $DIR/wall.sh </dev/null
	assert_walled sdora sdapp
}

@test "another program that execs without a fork: the login shell forks" {
	run timeout 20 nofork login $W /usr/libexec/clsecure/clsecure-shell -c "$wall" </dev/null
	assert_walled sdora sdapp
}

@test "a service that is not in AllowServices is refused at session" {
	printf 'account required pam_permit.so\nsession required pam_clsecure.so\n' >/etc/pam.d/clsecure-none
	run timeout 20 nofork clsecure-none $W /bin/bash $DIR/wall.sh </dev/null
	assert_status 3
	assert_has "'clsecure-none' is no way into 'sdapp'"
	run timeout 20 systemd-run -q --collect --wait --pipe -p PAMName=clsecure-none -p User=$W $wall </dev/null
	rm /etc/pam.d/clsecure-none
	[ "$status" -ne 0 ]
	refute_has begin
}

@test "PAMName=systemd-user is refused" {
	run timeout 20 systemd-run -q --collect --wait --pipe -p PAMName=systemd-user -p User=$W $wall </dev/null
	[ "$status" -ne 0 ]
	refute_has begin
}

@test "afterwards nothing is left" {
	gone() { [ -z "$(pgrep -u $W; pgrep -f 'clsecure-keeper.*sdapp'; stand)" ]; }
	eventually 5 gone
}
