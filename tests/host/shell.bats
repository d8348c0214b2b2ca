# clsecure shell and exec: into the sandbox, and back out with every byte and status.
bats_require_minimum_version 1.5.0
load lib

setup_file() {
	make_person shann
	make_person shbob
	make_project shann shapp
	as_person shann clsecure add shapp
}

teardown_file() {
	clsecure remove --yes shapp
}

ann() { as_person shann "$@"; }
in_app() { as_person shann env -C /home/shann/shapp "$@"; }
nothing_left() { [ -z "$(processes_of claude-worker-shapp)" ]; }

teardown() {
	eventually 5 nothing_left
}

@test "exec: inside, as the worker, in the project" {
	run ann clsecure exec shapp id -un
	assert_status 0
	assert_output claude-worker-shapp
	run ann clsecure exec shapp pwd
	assert_output /home/shann/shapp
	run ann clsecure exec shapp sh -c 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -s "\t " " "'
	assert_has "CapEff: 0000000000000000"
	assert_has "CapBnd: 0000000000000000"
	assert_has "NoNewPrivs: 1"
	assert_has "Seccomp: 2"
	run ann clsecure exec shapp cat README
	assert_output hello
	for ns in mnt pid net ipc uts cgroup; do
		[ "$(ann clsecure exec shapp readlink /proc/self/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ]
	done
}

@test "exec: root calls without clsecured" {
	systemctl stop clsecured.socket clsecured.service
	run clsecure exec shapp id -un
	systemctl start clsecured.socket
	assert_status 0
	assert_output claude-worker-shapp
}

@test "exec: words are passed as they are" {
	run ann clsecure exec shapp printf '<%s>' 'a b' '' '$HOME' "it's" '*' $'new\nline' -- -x '"'
	assert_status 0
	assert_output "<a b><><\$HOME><it's><*><new
line><--><-x><\">"
	run in_app clsecure exec -- printf '<%s>' 1 2
	assert_output "<1><2>"
}

@test "shell: words are one string for the shell, as with ssh" {
	run on_pty setpriv --reuid shann --regid shann --init-groups --reset-env clsecure shell shapp echo '$((1+1))' ';' echo b
	assert_status 0
	assert_match $'2\nb$'
}

@test "the exit status is the command's" {
	for s in 0 1 2 77 125 126 127 255; do
		run ann clsecure exec shapp sh -c "exit $s"
		assert_status $s
		run on_pty setpriv --reuid shann --regid shann --init-groups --reset-env clsecure shell shapp exit $s
		assert_status $s
	done
	run ann clsecure exec shapp sh -c 'kill -TERM $$'
	assert_status 143
	run ann clsecure exec shapp sh -c 'kill -KILL $$'
	assert_status 137
	run ann clsecure exec shapp /nonexistent
	assert_status 127
	run ann clsecure exec shapp /etc/passwd
	assert_status 126
}

@test "clsecure's own failure is 125, wrong usage 2" {
	run ann clsecure exec nosuch true
	assert_status 125
	run as_person shbob clsecure exec shapp true
	assert_status 125
	assert_has "not yours"
	run ann clsecure exec
	assert_status 2
	run ann clsecure exec shapp
	assert_status 2
	run in_app clsecure shell --set Workspace=clone
	assert_status 2
	assert_has "not in this version"
}

@test "exec: three streams, apart" {
	run --separate-stderr ann clsecure exec shapp sh -c 'cat; echo err >&2' <<<in
	assert_output in
	[ "$stderr" = err ]
}

@test "exec: a file on stdin and stdout" {
	head -c 1000000 /dev/urandom >/home/shann/in
	ann sh -c 'clsecure exec shapp cat <in >out'
	cmp /home/shann/in /home/shann/out
}

@test "exec: broken pipe ends the writer" {
	run ann bash -c 'clsecure exec shapp yes | head -1; echo ${PIPESTATUS[0]}'
	assert_output "y
141"
}

@test "exec: EOF reaches the program" {
	run ann bash -c 'printf abc | clsecure exec shapp wc -c'
	assert_output 3
}

@test "exec: closed streams are /dev/null" {
	run ann bash -c 'clsecure exec shapp sh -c "cat; echo hi >&2" <&- >&-'
	assert_status 0
	for who in ann env; do
		run $who bash -c 'clsecure exec shapp readlink /proc/self/fd/0 /proc/self/fd/2 <&- 2>&-'
		assert_status 0
		assert_output $'/dev/null\n/dev/null'
	done
}

@test "exec: a terminal is never passed in" {
	run on_pty setpriv --reuid shann --regid shann --init-groups --reset-env clsecure exec shapp \
		sh -c 'for i in 0 1 2; do [ -t $i ] && echo tty $i; readlink /proc/self/fd/$i; done; cat /dev/tty'
	refute_has "tty 0"
	refute_has /dev/pts
	assert_has pipe:
}

@test "exec: a directory and what was opened by O_PATH are refused" {
	run ann bash -c 'clsecure exec shapp ls -l /proc/self/fd/0 </'
	assert_status 125
	assert_has directory
	run ann python3 -c '
import os, sys
fd = os.open("/etc/passwd", os.O_PATH)
os.dup2(fd, 0)
os.execvp("clsecure", ["clsecure", "exec", "shapp", "cat"])'
	assert_status 125
	assert_has O_PATH
}

@test "exec: no other descriptor enters" {
	run ann bash -c 'exec 7</etc 8</etc/passwd; clsecure exec shapp sh -c "ls /proc/self/fd | tr \"\n\" \" \""'
	assert_output "0 1 2 3 "
}

@test "shell: on a pty of the sandbox" {
	run on_pty setpriv --reuid shann --regid shann --init-groups --reset-env env TERM=xterm clsecure shell shapp \
		'tty; test -t 0 && test -t 1 && test -t 2 && echo ok; ps -o tpgid= -o pgid= -p $$ | awk "{print \$1 == \$2}"'
	assert_has /dev/pts/
	assert_has ok
}

@test "shell: size, and its changes" {
	run expect -c '
		set timeout 20
		set stty_init "rows 33 cols 99"
		spawn setpriv --reuid shann --regid shann --init-groups --reset-env clsecure shell shapp
		expect -re {[$] }
		send "stty size\r"
		expect "33 99" {} timeout {exit 1}
		exec stty rows 44 cols 111 <$spawn_out(slave,name)
		send "sleep 1; stty size\r"
		expect "44 111" {} timeout {exit 2}
		send "exit 3\r"
		expect eof
		exit [lindex [wait] 3]'
	assert_status 3
}

@test "shell: the end of a pipe on stdin ends it, however early it comes" {
	run ann timeout 20 clsecure shell shapp </dev/null
	assert_status 0
	run ann timeout 20 clsecure shell shapp <<<'echo "got $((6 * 7))"'
	assert_status 0
	assert_has 'got 42'
	run ann timeout 20 clsecure shell shapp 'sleep 2; wc -l; exit 5' <<<'one'
	assert_status 5
	assert_has 1
}

@test "shell: Ctrl-C, Ctrl-Z, fg, Ctrl-D are the sandbox's" {
	run expect -c '
		set timeout 20
		spawn setpriv --reuid shann --regid shann --init-groups --reset-env clsecure shell shapp
		expect -re {[$] }
		send "cat\r"
		sleep 1
		send "x\r"
		expect -re "x\r\nx\r\n" {} timeout {exit 1}
		send "\003"
		expect -re {[$] } {} timeout {exit 2}
		send "echo st=\$?\r"
		expect "st=130" {} timeout {exit 3}
		send "sleep 100\r"
		sleep 1
		send "\032"
		expect Stopped {} timeout {exit 4}
		send "jobs\r"
		expect "sleep 100" {} timeout {exit 5}
		send "kill %1; fg\r"
		expect -re {[$] } {} timeout {exit 6}
		sleep 1
		send "\004"
		expect eof {} timeout {exit 7}
		exit 0'
	assert_status 0
}

@test "shell: the person's terminal is as it was, also after kill -9 inside" {
	run expect -c '
		set timeout 20
		spawn bash --norc
		expect -re {[$] }
		send "stty -a >/tmp/sh-before; setpriv --reuid shann --regid shann --init-groups --reset-env clsecure shell shapp \"stty raw -echo; kill -9 \\$\\$\"; stty -a >/tmp/sh-after; echo done=\$?\r"
		expect "done=0" {} timeout {exit 1}'
	assert_status 0
	cmp /tmp/sh-before /tmp/sh-after
}

@test "shell: 200 MB come through" {
	run on_pty setpriv --reuid shann --regid shann --init-groups --reset-env bash -c \
		'clsecure shell shapp "stty -opost; head -c 200000000 /dev/zero | tr \"\\0\" x" | tr -cd x | wc -c'
	assert_output 200000000
	run ann bash -c 'head -c 200000000 /dev/zero | clsecure exec shapp cat | cksum'
	assert_output "$(head -c 200000000 /dev/zero | cksum)"
}

@test "the person's end takes the session along" {
	ann setsid clsecure exec shapp sleep 1000 &
	pid=$!
	eventually 5 pgrep -u claude-worker-shapp sleep
	kill -9 "$(pgrep -u shann -f 'clsecure exec shapp sleep')"
	wait $pid || :
	eventually 6 nothing_left
}

@test "signals reach what exec runs" {
	ann clsecure exec shapp sh -c 'trap "echo got; exit 9" TERM; echo up; while :; do sleep .1; done' >/tmp/sh-signal &
	pid=$!
	eventually 5 grep -q up /tmp/sh-signal
	kill -TERM "$(pgrep -u shann -x clsecure)"
	status=0
	wait $pid || status=$?
	assert_equal $status 9
	grep -q got /tmp/sh-signal
}

@test "Ctrl-C while opening: 130, and nothing is left" {
	for pause in .01 .02 .03 .05 .08; do
		status=0
		ann timeout -s INT $pause clsecure exec shapp sleep 20 || status=$?
		[ $status -eq 124 ] || [ $status -eq 130 ]
		eventually 5 nothing_left
	done
	python3 - <<-'P'
		import os, signal, subprocess, time
		p = subprocess.Popen(["setpriv", "--reuid", "shann", "--regid", "shann", "--init-groups", "clsecure", "exec",
			"shapp", "true"])
		time.sleep(.02)
		p.send_signal(signal.SIGINT)
		assert p.wait() in (0, 130, -2), p.returncode
	P
}

@test "settings for one session: --no-network, --set; a sandbox that runs with others is not changed" {
	run ann clsecure exec --set SetEnv=ONE=1 shapp sh -c 'echo $ONE'
	assert_status 0
	assert_output 1
	run ann clsecure exec shapp sh -c 'echo "[$ONE]"'
	assert_output "[]"
	ann clsecure exec shapp sleep 50 &
	pid=$!
	eventually 5 pgrep -u claude-worker-shapp sleep
	run ann clsecure exec --set SetEnv=ONE=1 shapp true
	assert_status 125
	assert_has "other settings"
	ann clsecure kill shapp
	wait $pid || :
}

@test "environment: PassEnv and the terminal's, nothing else" {
	run --separate-stderr ann env ANTHROPIC_X=a SECRET=b LC_ALL=C.UTF-8 TERM=vt100 LD_PRELOAD=/x GLIBC_TUNABLES=y BASH_ENV=/tmp/x \
		clsecure exec shapp env
	assert_has ANTHROPIC_X=a
	assert_has TERM=vt100
	assert_has HOME=/home/claude-worker-shapp
	assert_has CLSECURE_PROJECT=shapp
	refute_has SECRET
	refute_has LD_PRELOAD
	refute_has GLIBC_TUNABLES
	refute_has BASH_ENV
}

@test "sessions and kill" {
	ann clsecure exec shapp sleep 100 &
	first=$!
	eventually 5 pgrep -u claude-worker-shapp sleep
	run ann clsecure sessions shapp
	assert_match $'^SESSION +DOOR +WHO +FROM +SINCE *\nshapp:[0-9]+ +clsecure +shann +- +[0-9]+:[0-9]+ *$'
	id=$(ann clsecure sessions shapp --json | jq -r '.sessions[0].session')
	run as_person shbob clsecure kill "$id"
	assert_status 1
	run ann clsecure kill shapp:999
	assert_status 1
	assert_has "there is no session 'shapp:999'"
	ann clsecure exec shapp sleep 200 &
	second=$!
	eventually 5 pgrep -u claude-worker-shapp -f 'sleep 200'
	ann clsecure kill "$id"
	eventually 5 sh -c '! pgrep -u claude-worker-shapp -f "sleep 100"'
	ann clsecure kill shapp
	wait $first $second || :
	eventually 5 nothing_left
}

@test "kill: a session that is not there is an error, a project with none is not" {
	ann clsecure kill shapp
	run ann clsecure kill shapp:9
	assert_status 1
	assert_has "there is no session 'shapp:9'"
	assert_has "'clsecure sessions' shows those that there are"
	run ann clsecure kill shapp
	assert_status 0
	assert_output ""
}

# open_in PROJECT COMMAND...: an exec that lasts, in the background; its stderr in /tmp/sh-ended
open_in() {
	ann clsecure exec "$@" 2>/tmp/sh-ended 3>&- &
	pid=$!
	eventually 10 pgrep -u "claude-worker-$1" -x sleep
}

# close_of: waits for it: its status and what it said
close_of() {
	status=0
	wait "$pid" || status=$?
	output=$(</tmp/sh-ended)
}

@test "a session whose project is removed says so, with 137; one that is killed otherwise does not" {
	make_project shann shended
	ann clsecure add shended
	open_in shended sleep 321
	ann clsecure kill shended
	close_of
	assert_status 137
	assert_output ""
	open_in shended sleep 321
	kill -KILL "$(clsecure sessions shended --json | jq -r '.sessions[0].pid')"
	close_of
	assert_status 125
	assert_output "clsecure: clsecured ended while the session was open"
	open_in shended sleep 321
	ann clsecure remove --yes shended
	close_of
	assert_status 137
	assert_output "clsecure: project 'shended' was removed, and its sandbox with all sessions"
}

@test "first use adds the git top level" {
	make_project shann first
	ann mkdir -p first/sub/dir
	run as_person shann env -C /home/shann/first/sub/dir clsecure exec -- pwd
	assert_has "added project 'first'"
	assert_has /home/shann/first
	clsecure rm -y first
}

@test "clsecure: Claude, with its flag and ARGS; says what is missing" {
	run ann env -u ANTHROPIC_API_KEY clsecure shapp -- --version </dev/null
	assert_has "API is out of reach"
	assert_has "no credential"
	ann clsecure set shapp 'Command=printf %s,'
	run --separate-stderr ann clsecure shapp -- -p 'two words' </dev/null
	assert_status 0
	assert_output "-p,two words,"
	ann clsecure set shapp Command=
}

@test "twenty at once" {
	pids=()
	for i in $(seq 20); do
		ann clsecure exec shapp echo "$i" >"/tmp/sh-$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in $(seq 20); do
		assert_equal "$(cat "/tmp/sh-$i")" "$i"
	done
}
