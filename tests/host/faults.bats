# 'Fails closed', for real: programs that are missing or strange, what is full, what is used up.
# At every door: no program runs, a status that is not 0, the reason to the person and in the log,
# nothing left; and the next login works.
# host: own
load lib

W=claude-worker-faults
P=/home/fay/faults
LIBEXEC=/usr/libexec/clsecure
RUN=/run/clsecure/faults

setup_file() {
	make_person fay
	make_project fay faults
	as_person fay clsecure add $P --name faults
	mkdir -p /run/aside
	su - $W -c true </dev/null	# its home is made
}

setup() {
	eventually 10 nothing_left
}

teardown() {
	local file
	[ -z "${HOLDER:-}" ] || kill "$HOLDER" 2>/dev/null || :
	for file in /run/aside/clsecure-*; do
		[ ! -e "$file" ] || mv -f "$file" $LIBEXEC/
	done
	! mountpoint -q /run/clsecure || umount /run/clsecure
	[ ! -d /run/aside/run ] || { rm -rf /run/clsecure && mv -T /run/aside/run /run/clsecure; }
	[ "$(findmnt -n -o SOURCE /var/lib/clsecure | tail -n1)" != state ] || umount -l /var/lib/clsecure
	! mountpoint -q $P || umount -l $P
	rm -rf $RUN
}

# ssh without -q: it shows what sshd says.
ssh_loud() {
	as_person fay ssh -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=INFO "$@"
}

DOORS='ssh ssh-tt su su-tty gateway gateway-tt exec shell'
door() {	# DOOR COMMAND: by that door
	case $1 in
	ssh) ssh_loud $W@localhost "$2" ;;
	ssh-tt) ssh_loud -tt $W@localhost "$2" ;;
	su) su - $W -c "$2" ;;
	su-tty) on_pty su - $W -c "$2" ;;
	gateway) ssh_loud claude@localhost faults "$2" ;;
	gateway-tt) ssh_loud -tt claude@localhost faults "$2" ;;
	exec) as_person fay clsecure exec faults sh -c "$2" ;;
	shell) on_pty as_person fay clsecure shell faults "$2" ;;
	esac </dev/null
}

# tried COMMAND...: bats' run, which says nothing of a 127: programs are missing here on purpose.
tried() {
	status=0
	output=$("$@" 2>&1) || status=$?
}

nothing_left() {
	local rest
	rest=$(pgrep -l '^clsecure-'; processes_of $W
		find /sys/fs/cgroup -type d -name '*clsecure-*-faults-*'
		grep -E ' /run/clsecure/[^ ]+ ' /proc/1/mountinfo
		[ ! -d $RUN ] || find $RUN -mindepth 1 ! -name lock
		find /proc/[0-9]*/fd -lname 'mnt:*' -o -lname 'net:*' 2>/dev/null)
	[ -z "$rest" ] || fail "left: $rest"
}

# refused_at DOOR WORDS: no program, not 0, WORDS to the person and in the log, in bounded time,
# nothing left.
refused_at() {
	local started=$EPOCHREALTIME
	rm -f $P/ran
	journal_mark
	tried door "$1" "touch $P/ran"
	[ "$status" -ne 0 ] || fail "$1: not refused: $output"
	[ ! -e $P/ran ] || fail "$1: a program ran"
	assert_has "$2"
	# 5 s for each time that the keeper is asked: in account, in session, and to enter
	[ $((${EPOCHREALTIME%.*} - ${started%.*})) -lt 20 ] || fail "$1: it took too long"
	eventually 5 logged "$2" || fail "$1: not in the log: $2"
	[ -n "${STAYS:-}" ] || eventually 10 nothing_left || fail "$1"
}
logged() {
	journal_new | grep -qF -- "$1"
}

refused() {	# WORDS [DOORS]
	local door
	for door in ${2:-$DOORS}; do
		refused_at "$door" "$1"
	done
}

works() {
	run door su 'echo in'
	assert_output in
	eventually 10 nothing_left
}

aside() {	# PROGRAM: moved away until the test's end
	mv "$LIBEXEC/$1" /run/aside/
}

@test "the doors work" {
	local door
	for door in $DOORS; do
		run door $door 'echo in'
		assert_status 0
		assert_has in
		eventually 10 nothing_left
	done
}

@test "the keeper's program is missing, has mode 0, is garbage" {
	aside clsecure-keeper
	refused 'clsecure-keeper: No such file'
	install -m 000 /run/aside/clsecure-keeper $LIBEXEC/clsecure-keeper
	refused 'clsecure-keeper: Permission denied'
	head -c 1000 /dev/urandom >$LIBEXEC/clsecure-keeper
	chmod 755 $LIBEXEC/clsecure-keeper
	refused 'clsecure-keeper: Exec format error'
	mv -f /run/aside/clsecure-keeper $LIBEXEC/
	works
}

@test "the keeper's program ends at once, or hangs" {
	aside clsecure-keeper
	printf '#!/bin/sh\nexit 0\n' >$LIBEXEC/clsecure-keeper
	chmod 755 $LIBEXEC/clsecure-keeper
	refused 'died while it built the sandbox'
	printf '#!/bin/sh\nexec sleep 7\n' >$LIBEXEC/clsecure-keeper
	STAYS=yes refused 'was not ready in' 'ssh su exec gateway'
	mv -f /run/aside/clsecure-keeper $LIBEXEC/
	works
}

@test "the relay's program is missing: a terminal of the host is no way in" {
	aside clsecure-relay
	refused 'clsecure-relay: No such file' su-tty
	mv /run/aside/clsecure-relay $LIBEXEC/
	works
}

@test "the login shell's program is missing" {
	local door
	aside clsecure-shell
	for door in $DOORS; do
		rm -f $P/ran
		tried door $door "touch $P/ran"
		[ "$status" -ne 0 ] && [ ! -e $P/ran ] || fail "$door: $output"
		[ -n "$output" ] || fail "$door: no reason"
		eventually 10 nothing_left
	done
	mv /run/aside/clsecure-shell $LIBEXEC/
	works
}

hold() {	# COMMAND...: in the background until the test's end
	"$@" 3>&- >/dev/null 2>&1 &
	HOLDER=$!
	sleep .3
}
let_go() {
	kill "$HOLDER"
	wait "$HOLDER" || :
	HOLDER=
}

@test "another process holds the keeper's lock" {
	install -d -m 700 $RUN
	hold flock $RUN/lock sleep 60
	STAYS=yes refused 'faults' 'ssh su exec gateway'
	kill "$(pgrep -P "$HOLDER")"
	let_go || :
	works
}

@test "the directory in /run is missing, or a file, or somebody's" {
	mv -T /run/clsecure /run/aside/run
	run door su 'echo in'
	assert_output in
	eventually 10 nothing_left
	rm -rf /run/clsecure
	touch /run/clsecure
	refused "directory '/run/clsecure/'" 'ssh su'
	rm /run/clsecure
	install -d -o fay /run/clsecure
	refused "directory '/run/clsecure/'" 'ssh su'
	rm -rf /run/clsecure
	mv -T /run/aside/run /run/clsecure
	works
}

SOCKET='
import os, socket, sys, time
how, path = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(path)
if how == "stale":
    sys.exit()
s.listen(5)
while True:
    c = s.accept()[0]
    if how == "garbage":
        c.send(b"\xff" * 4000)
    kept = c
'

@test "the keeper's socket is stale, a plain file, or of somebody who does not answer or answers garbage" {
	local how
	for how in stale file; do
		install -d -m 700 $RUN
		if [ $how = file ]; then
			touch $RUN/keeper.sock
		else
			python3 -c "$SOCKET" stale $RUN/keeper.sock
		fi
		works
	done
	for how in silent garbage; do
		install -d -m 700 $RUN
		rm -f $RUN/keeper.sock
		hold python3 -c "$SOCKET" $how $RUN/keeper.sock
		STAYS=yes refused "the keeper of 'faults'" 'ssh su exec'
		let_go
	done
	rm $RUN/keeper.sock
	works
}

@test "/run is full" {
	rm -rf $RUN
	mount -t tmpfs -o size=4k,nr_inodes=2,mode=755 full /run/clsecure
	refused 'No space left on device' 'ssh su'
	umount /run/clsecure
	works
}

@test "the sandbox's /tmp is full: told inside, and the next login works" {
	as_person fay sh -c "mkdir -p $P/.clsecure && printf '[Files]\nTmpSize=1M\n' >$P/.clsecure/config"
	run door su 'head -c 4000000 /dev/zero >/tmp/file; df --output=avail /tmp /dev/shm | tail -n1; echo end'
	assert_has 'No space left on device'
	assert_has end
	works
	rm -r $P/.clsecure
}

# What is registered, and how: files, links, their contents.
records() {
	local all=(/var/lib/clsecure '(' -path '*/home/*' -o -path '*/log/*' -o -name names ')' -prune -o)
	find "${all[@]}" ! -name filling -printf '%p %y %m %U %l\n' | sort
	find "${all[@]}" -type f ! -name filling -exec md5sum {} + | sort
}

slice_of() {
	echo "/etc/systemd/system/user-$(id -u "$1").slice.d"
}

# unchanged COMMAND...: refused for want of space.
unchanged() {
	run as_person fay clsecure "$@"
	[ "$status" -ne 0 ] || fail "not refused: $*"
	assert_has 'No space left on device'
}

@test "the disk of /var/lib/clsecure is full" {
	local state=/var/lib/clsecure projects slice how
	make_project fay other >/dev/null
	tar -C $state -cf /run/state.tar .
	mount -t tmpfs -o size=8m,nr_inodes=1000,mode=755 state $state
	tar -C $state -xf /run/state.tar
	fill() {	# bytes, and names but for "bytes"
		dd if=/dev/zero of=$state/filling bs=4k 2>/dev/null || :
		[ "${1:-}" != bytes ] || return 0
		mkdir -p $state/names && seq -f "$state/names/%g" 2000 | xargs touch 2>/dev/null || :
	}
	empty() {
		rm -rf $state/filling $state/names
	}
	# a home that was never entered cannot be prepared
	as_person fay clsecure add /home/fay/other --name other
	projects=$(records)
	fill
	run su - claude-worker-other -c "touch /home/fay/other/ran" </dev/null
	[ "$status" -ne 0 ]
	assert_has 'disk full'
	[ ! -e /home/fay/other/ran ]
	# one that was is entered, to tidy it
	run door su 'echo in; echo text >~/file'
	assert_has in
	assert_has 'No space left on device'
	# what cannot be written stays what it was, whole
	make_project fay third >/dev/null
	slice=$(slice_of claude-worker-other)
	for how in bytes all; do
		empty
		fill $how
		unchanged add /home/fay/third --name third
		run getent passwd claude-worker-third
		[ "$status" -ne 0 ]
		unchanged set faults ExpireAfter=9d Linger=1
		unchanged remove --yes other
		run getent passwd claude-worker-other
		assert_status 0
		[ -e "$slice" ]
		empty
		assert_equal "$(records)" "$projects"
	done
	as_person fay clsecure remove --yes other
	[ ! -e "$slice" ]
	run as_person fay clsecure add /home/fay/third --name third
	assert_status 0
	eventually 10 nothing_left
	umount $state
	works
}

@test "the disk of the project is full" {
	mount -t tmpfs -o size=1m,mode=755,uid=$(id -u fay),gid=$(id -g fay) project $P
	dd if=/dev/zero of=$P/filling bs=4k 2>/dev/null || :
	run door su "echo in; echo text >$P/file"
	assert_has in
	assert_has 'No space left on device'
	eventually 10 nothing_left
	umount $P
}

# by_limit ULIMIT...: su under such limits of the caller either has the wall or is refused.
by_limit() {
	rm -f $P/ran
	tried bash -c "$* && exec su - $W -c 'touch $P/ran; grep ^Seccomp: /proc/self/status'" </dev/null
	eventually 10 nothing_left
	if [ "$status" -eq 0 ]; then
		assert_match 'Seccomp:.2' || fail "$*"
	else
		[ ! -e $P/ran ] || fail "$*: a program ran: $output"
		[ -n "$output" ] || fail "$*: no reason"
	fi
}

@test "the caller has no descriptors, no memory, no processes, no bytes of files left" {
	local n
	for n in 3 4 5 6 7 8 9 10 11 12 13 14 16 20; do
		by_limit "ulimit -n $n"
	done
	for n in 4000 8000 10000 12000 14000 16000 20000 40000; do
		by_limit "ulimit -v $n"
	done
	by_limit 'ulimit -f 0'
	by_limit 'ulimit -c 0'
	by_limit 'ulimit -l 0; ulimit -s 64'
	# root's are not counted; a person's su is root's when it forks
	run setpriv --reuid fay --regid fay --init-groups \
		bash -c "ulimit -u 1; exec su - $W -c 'echo in'" </dev/null
	[ "$status" -ne 0 ] || assert_output in
	eventually 10 nothing_left
	works
}

@test "descriptors that run out never leave the host's terminal to the sandbox" {
	local n
	for n in {3..16}; do
		run on_pty bash -c "ulimit -n $n; su - $W -c ': </dev/tty && echo reached' </dev/null 2>&1 | cat"
		refute_has reached
		eventually 10 nothing_left
	done
}
