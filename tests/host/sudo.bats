# sudo: as any door, and on no failure does it run the command bare.
# host: own
# configure: --enable-fault-injection
load lib
load walled

W=claude-worker-suapp2
FAULT=/var/lib/clsecure/fault
wall='bash /home/sudora/suapp2/wall.sh'

setup_file() {
	make_walled sudora suapp2
	printf 'sudora ALL=(ALL) NOPASSWD:SETENV: ALL\n' >/etc/sudoers.d/sudora
}

teardown() {
	rm -f "$FAULT" /home/sudora/suapp2/ran
}

nothing_runs() {
	[ -z "$(pgrep -x clsecure-keeper)" ]
}

@test "sudo -u, sudo -iu, sudo -s by root: walled" {
	run sudo -u $W $wall </dev/null
	assert_walled sudora suapp2
	run sudo -iu $W $wall </dev/null
	assert_walled sudora suapp2
	run sudo -su $W $wall </dev/null
	assert_walled sudora suapp2
}

@test "sudo -u by a person: walled; by one who may not enter: as sudoers says, and walled too" {
	run as_person sudora sudo -u $W $wall </dev/null
	assert_walled sudora suapp2
}

@test "the status passes" {
	run sudo -u $W sh -c 'exit 7' </dev/null
	assert_status 7
	run sudo -iu $W exit 9 </dev/null
	assert_status 9
}

@test "sudo -E: what would steer a program is gone, 2,000 variables do no harm" {
	vars=()
	for i in {1..2000}; do vars+=("V$i=$i"); done
	run env "${vars[@]}" BASH_ENV=/home/sudora/suapp2/trap ENV=/home/sudora/suapp2/trap sudo -E -u $W bash -c 'env; echo end' </dev/null
	assert_status 0
	assert_has $'\nend'
	refute_has BASH_ENV=
	refute_has $'\nENV='
	run env "${vars[@]}" sudo -E -u $W $wall </dev/null
	assert_walled sudora suapp2
	run env "${vars[@]}" BASH_ENV=/none LD_PRELOAD= sudo -iu $W env </dev/null
	assert_status 0
	refute_has V1999=
	refute_has BASH_ENV=
}

@test "limits of a session are final: sudo puts none back" {
	clsecure set suapp2 FileSize=1M OpenFiles=100
	run sudo -u $W sh -c 'ulimit -Hf; ulimit -Hn' </dev/null
	clsecure set suapp2 FileSize= OpenFiles=
	assert_output $'2048\n100'
}

@test "each failure: refused, and nothing ran" {
	for step in pam-policy prepare spawn independent claim keeper-policy idmap build-clone build-network \
		build-root build-pivot seal keeper-enter pam-last keeper-place enter-setns enter-capabilities enter-filter enter-ready \
		'keeper-enter kill' 'build-root kill'; do
		eventually 10 nothing_runs
		echo "$step" >"$FAULT"
		for how in -u -iu; do
			run timeout 20 sudo $how $W touch /home/sudora/suapp2/ran </dev/null
			[ "$status" -ne 0 ] || fail "not refused at $step"
			[ ! -e /home/sudora/suapp2/ran ] || fail "it ran at $step"
		done
		rm "$FAULT"
	done
	run sudo -u $W touch /home/sudora/suapp2/ran </dev/null
	assert_status 0
	[ -e /home/sudora/suapp2/ran ]
}

@test "without sudo in AllowServices: refused, and nothing ran" {
	journal_mark
	clsecure set suapp2 AllowServices-=sudo
	run sudo -u $W touch /home/sudora/suapp2/ran </dev/null
	clsecure set suapp2 AllowServices=
	[ "$status" -ne 0 ]
	run journal_new
	assert_has "'sudo' is no way into 'suapp2'"
	[ ! -e /home/sudora/suapp2/ran ]
}

@test "sudo into anybody else is what it was" {
	run sudo -u sudora id -un </dev/null
	assert_output sudora
	run as_person sudora sudo -n id -u </dev/null
	assert_output 0
}
