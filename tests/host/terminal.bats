# The terminal of a person at su, runuser and sudo: used as people use it, and after every end the person's own again.
load lib

W=claude-worker-termapp

setup_file() {
	make_person termann
	make_project termann termapp
	as_person termann clsecure add /home/termann/termapp --name termapp
}

teardown_file() {
	rm -f /etc/sudoers.d/termann
	clsecure remove --yes termapp
}

# at PERSON DOOR CASE...: terminal.py says what each case is.
at() {
	local person=$1 door=$2 case
	shift 2
	for case; do
		timeout 100 python3 "$BATS_TEST_DIRNAME/terminal.py" "$person" $W "$case" "$door" || fail "$person, $door: $case" || return
	done
}

# everywhere CASE...
everywhere() {
	at termann "su - $W" "$@" && at root "su - $W" "$@" && at root "runuser -l $W" "$@" && at termann "su --pty - $W" "$@"
}

@test "^C ends the program inside, ^Z and fg are a matter of the shell inside" {
	everywhere interrupt suspend
}

@test "the shell inside stops itself, and the door with it: the terminal is the outer shell's" {
	everywhere suspend_door
}

@test "a door that is opened in the background waits there" {
	everywhere background
}

@test "the size gets in, and SIGWINCH" {
	everywhere resize
}

@test "^D, and each exit status" {
	everywhere eof status
}

@test "a paste of 1 MiB arrives whole" {
	everywhere paste
}

@test "^C gets through output without an end; modes that a program left are taken back" {
	everywhere flood modes
}

@test "whatever is killed, the terminal is as it was and nothing is left" {
	everywhere kill_door kill_relay
	everywhere kill_keeper kill_shell
}

@test "the window is closed: nothing is left" {
	everywhere hangup
}

@test "who kept the terminal inside reads nothing of what is typed afterwards, and shows nothing" {
	everywhere kept
}

# Not su --pty: its own shell gets what comes by a pipe on its own pty, for every user.
@test "standard input or output is a pipe" {
	for door in "su - $W" "runuser -l $W"; do
		at root "$door" pipe_in pipe_out
	done
	at termann "su - $W" pipe_in pipe_out
}

@test "a door that leads the terminal's session" {
	at root "su - $W" leader leader_kill leader_hangup
	at root "su --pty - $W" leader leader_kill leader_hangup
	at root "runuser -l $W" leader leader_kill leader_hangup
	at termann "su - $W" leader leader_kill leader_hangup
}

@test "by ssh -tt the door leads the terminal's session" {
	run ssh_as termann -tt termann@localhost "exec su - $W -c 'tty; stty size >/dev/null && ps -o stat= -p \$\$; exit 6'"
	assert_status 6
	assert_has /dev/pts/
	assert_has 's+'
}

@test "a command's ^C and exit status" {
	at termann "su - $W -c" command
	at root "su - $W -c" command
	at root "runuser -l $W -c" command
}

sudo_with() {
	printf 'Defaults:termann %s\ntermann ALL=(ALL) NOPASSWD: ALL\n' "$1" >/etc/sudoers.d/termann
}

# What it shows from the background it keeps until it is called to the front; modes are its own matter, and the
# terminal of a sudo that was killed the outer shell's.
@test "sudo that relays by itself (use_pty): its pty is the sandbox's, and no relay of ours runs" {
	sudo_with use_pty
	at termann "sudo -iu $W" interrupt suspend suspend_door resize eof status paste flood
	at termann "sudo -iu $W" kill_door kill_keeper kill_shell hangup kept leader leader_hangup
	at termann "sudo -u $W sh -c" command
	on_pty as_person termann sudo -u $W sleep 3 &
	local job=$!
	eventually 10 pgrep -u $W -x sleep
	[ -z "$(pgrep -x clsecure-relay)" ] || fail "a relay runs"
	wait "$job"
}

@test "sudo that relays by itself hands on no other terminal" {
	sudo_with use_pty
	run on_pty as_person termann python3 -c "
import os, pty, subprocess
master, slave = pty.openpty()
print('status', subprocess.call(['sudo', '-iu', '$W', 'tty'], stdin=slave, stdout=slave, stderr=slave))
os.write(slave, b'end\n')
print(os.read(master, 4096).decode())"
	refute_has 'status 0'
	assert_has 'another terminal'
}

@test "a leaked pty is no sudo's: the terminal of another door is replaced all the same" {
	run on_pty python3 -c "
import os, pty, subprocess
master, slave = pty.openpty()
subprocess.call(['su', '-', '$W', '-c', 'echo \$(stat -Lc %d /proc/self/fd/0 /dev/pts/0; ls /proc/self/fd | wc -l) end'],
		pass_fds=(master, slave))"
	assert_status 0
	assert_match '([0-9]+) ([0-9]+) 4 end'
	assert_equal "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "sudo without use_pty goes through the relay" {
	sudo_with '!use_pty'
	at termann "sudo -iu $W" interrupt suspend suspend_door background resize eof status paste flood modes
	at termann "sudo -iu $W" kill_door kill_relay kill_keeper kill_shell hangup kept pipe_in pipe_out
	at termann "sudo -iu $W" leader leader_kill leader_hangup
	at termann "sudo -u $W sh -c" command
}
