# su and runuser: descriptors, and the terminal of the host that stays outside.
load lib

W=claude-worker-suapp

setup_file() {
	make_person suann
	make_project suann suapp
	as_person suann clsecure add /home/suann/suapp --name suapp
}

@test "a directory, or O_PATH, on 0-2 is refused" {
	run bash -c "su - $W -c id </"
	[ "$status" -ne 0 ]
	assert_has 'is a directory'
}

@test "no other descriptor enters" {
	run bash -c "exec 7</ 8</dev/null; su - $W -c 'ls /proc/self/fd' </dev/null"
	assert_status 0
	assert_equal "${#lines[@]}" 4
}

@test "the exit status passes" {
	run su - $W -c 'exit 7' </dev/null
	assert_status 7
}

@test "on a terminal: a pty of the sandbox, its controlling one, with the size" {
	run on_pty sh -c "stty rows 33 cols 77; su - $W -c 'tty; stty size; ps -o tty= -p \$\$; : </dev/tty && echo ctty'"
	assert_status 0
	assert_has '/dev/pts/'
	assert_has '33 77'
	assert_has ctty
}

@test "a controlling terminal does not go in without a descriptor either" {
	run on_pty sh -c "su - $W -c ': </dev/tty && echo reached' </dev/null 2>&1 | cat"
	refute_has reached
}

@test "su by a person on a terminal, su --pty, runuser -l" {
	run on_pty setpriv --reuid suann --regid suann --init-groups su - $W -c 'tty; id -u'
	assert_status 0
	assert_has '/dev/pts/'
	run on_pty su --pty - $W -c 'tty; id -u'
	assert_status 0
	assert_has '/dev/pts/'
	run on_pty runuser -l $W -c 'tty; id -u'
	assert_status 0
	assert_has '/dev/pts/'
}

@test "the terminal is afterwards as it was" {
	run on_pty sh -c "before=\$(stty -g); su - $W -c 'stty raw -echo'; [ \"\$before\" = \"\$(stty -g)\" ] && echo same"
	assert_has same
}

@test "a pipe on stdout takes all that is written" {
	run on_pty sh -c "su - $W -c 'head -c 3000000 /dev/zero' | wc -c"
	assert_has 3000000
}

@test "an interactive shell starts in the project, a command in the home" {
	run on_pty sh -c "echo pwd | su - $W -c pwd"
	assert_has /home/$W
}
