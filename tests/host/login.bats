# login(1): by agetty and by hand, on a terminal as a console is one.
load lib
load walled

W=claude-worker-logapp
wall='bash /home/lolita/logapp/wall.sh'

setup_file() {
	make_walled lolita logapp
}

teardown_file() {
	as_person lolita clsecure remove --yes logapp
}

typed() {
	timeout 30 expect "$BATS_TEST_DIRNAME/typed.exp" "$@"
}

@test "login -f: walled, on a terminal of the sandbox" {
	run typed "$wall; exit 5" login -f $W
	assert_walled lolita logapp
	assert_has 'tty=/dev/pts/'
}

@test "agetty on a terminal, with login's autologin" {
	run typed "$wall; exit" setsid -cw agetty --noclear --autologin $W - linux
	assert_walled lolita logapp
	assert_has 'tty=/dev/pts/'
}

@test "login -p keeps an environment: it is built anew inside" {
	run env LD_PRELOAD=/none.so BASH_ENV=/none SECRET=outside \
		timeout 30 expect "$BATS_TEST_DIRNAME/typed.exp" "env | sort; exit" login -p -f $W
	assert_has HOME=/home/$W
	refute_has SECRET
	refute_has BASH_ENV=
	refute_has LD_PRELOAD=
}

@test "a password opens nothing: there is none" {
	run on_pty sh -c "printf '%s\n' '$W' secret | timeout 5 login" </dev/null
	[ "$status" -ne 0 ]
	refute_has "$W@"
	run typed "secret" login $W
	[ "$status" -ne 0 ]
	refute_has begin
}

@test "without login in AllowServices: refused, with the reason" {
	clsecure set logapp AllowServices-=login
	run on_pty timeout 10 login -f $W
	clsecure set logapp AllowServices=
	[ "$status" -ne 0 ]
	assert_has "'login' is no way into 'logapp'"
	refute_has "$W@"
}

@test "afterwards nothing is left" {
	gone() { [ -z "$(pgrep -u $W; pgrep -f 'clsecure-keeper.*logapp')" ]; }
	eventually 5 gone
}
