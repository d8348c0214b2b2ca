# What a person may try: against root's programs, against other persons, and against the wall of her own project.
load lib

W=claude-worker-prey
P=/home/ida/prey

setup_file() {
	make_person ida
	make_person una
	make_project ida prey >/dev/null
	as_person ida clsecure add $P --name prey
	chmod 755 /home/ida
}

teardown_file() {
	as_person ida clsecure remove --yes prey
}

gone() {
	[ -z "$(pgrep -u $W; pgrep -xf 'clsecure-keeper prey')" ]
}

# hostile CASE: su in that way; what ran has left its own facts in the project.
hostile() {
	rm -f $P/facts
	as_person ida env EVIL=/home/ida/evil timeout 20 python3 "$BATS_TEST_DIRNAME/attack-su.py" "$1" $W "
		{ id -u; sed -n 's/^NoNewPrivs:.//p; s/^Seccomp:.//p; s/^CapBnd:.//p' /proc/self/status
		ls /proc/self/fd | wc -l; readlink /proc/self/ns/mnt /proc/self/ns/pid; } >$P/facts" </dev/null
}

# assert_inside: if it ran, it ran in the sandbox, whole.
assert_inside() {
	[ -s $P/facts ] || return 0
	run cat $P/facts
	assert_equal "$(head -n4 $P/facts | tr '\n' ' ')" "$(id -u $W) 0000000000000000 1 2 "
	refute_has "$(readlink /proc/self/ns/mnt)"
	refute_has "$(readlink /proc/self/ns/pid)"
	[ "${#lines[@]}" -eq 7 ]
}

# of_keeper FILE: of the keeper's and of PID 1's /proc.
of_keeper() {
	local keeper
	keeper=$(pgrep -o -xf 'clsecure-keeper prey')
	cat "/proc/$keeper/$1" "/proc/$(pgrep -P "$keeper" -x clsecure-init)/$1"
}

@test "su with streams closed, much environment, signals, limits: inside or not at all, and it spoils nothing" {
	local case
	printf 'touch /home/ida/evil.ran\n' >/home/ida/evil
	for case in plain closed0 closed1 closed2 closed012 variables signals scheduling surroundings files-small \
		files-few memory locked processes time descriptors; do
		run hostile $case
		[ "$status" -ne 124 ] || fail "$case hangs"
		[ "$case" != plain ] || [ -s $P/facts ] || fail "nothing ran: $output"
		assert_inside || fail "$case: $(cat $P/facts)"
		[ ! -e /home/ida/evil.ran ] || fail "$case: what a variable named was run"
	done
	eventually 15 gone
	as_person ida rm -f $P/facts evil
}

@test "the first caller's scheduling and signals are not the sandbox's" {
	local case second
	for case in scheduling signals; do
		as_person ida timeout 20 python3 "$BATS_TEST_DIRNAME/attack-su.py" $case $W 'exec sleep 20' </dev/null 3>&- &
		eventually 15 pgrep -u $W -x sleep
		run of_keeper stat
		assert_equal "$(cut -d' ' -f19,41 <<<"$output" | sort -u)" '0 0'	# nice, policy
		assert_equal "$(of_keeper oom_score_adj | sort -u)" 0
		run su - $W -c 'nice; grep SigIgn /proc/self/status' </dev/null
		assert_match "^$(nice)[^0-9]"
		second=$(pgrep -u $W -x sleep)
		kill -KILL "$second"
		eventually 15 gone
	done
}

# ask FIELD...: a message to clsecured as clsecure would not send it; prints what it answers.
ask() {
	as_person ida timeout 20 python3 -c '
import os, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/clsecure/clsecured.sock")
m = b"".join(os.fsencode(f) + b"\0" for f in sys.argv[1:])
null = os.open("/dev/null", os.O_RDWR)
socket.send_fds(s, [struct.pack("=I", len(m)) + m], [null] * 3 if "op=open" in sys.argv else [])
while True:
    data = s.recv(65536)
    if not data: break
    print(data.replace(b"\0", b"\n").decode(errors="replace"))' "$@" </dev/null
}

@test "what a person passes in steers no program that PAM starts as root" {
	local stack=/etc/pam.d/clsecure
	printf '#!/bin/bash\nenv >/run/attack-env\n' >/usr/local/sbin/attack-exec
	printf 'touch /run/attack-ran\n' >/home/ida/rc
	chmod 755 /usr/local/sbin/attack-exec
	cp $stack /run/attack-stack
	sed '0,/^session/s//session optional pam_exec.so \/usr\/local\/sbin\/attack-exec\n&/' /run/attack-stack >$stack
	eventually 15 gone
	as_person ida clsecure set prey 'PassEnv=BASH_ENV LD_* XDG_* PASSED'
	run as_person ida env BASH_ENV=/home/ida/rc XDG_SEAT=seat0 XDG_VTNR=7 PASSED=yes TZ=/home/ida/rc \
		clsecure exec prey sh -c 'echo "passed=$PASSED"' </dev/null
	cp /run/attack-stack $stack
	as_person ida clsecure set prey PassEnv=
	assert_has passed=yes
	[ -s /run/attack-env ]
	[ ! -e /run/attack-ran ] || fail 'the person ran a program as root'
	run grep -E 'BASH_ENV|XDG_SEAT|XDG_VTNR|PASSED|TZ' /run/attack-env
	assert_output ''
	rm -f /usr/local/sbin/attack-exec /run/attack-*
}

@test "a terminal's name in a request leads root to no display of the person's" {
	mkdir -p -m 1777 /tmp/.X11-unix
	as_person ida timeout 6 python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.bind("/tmp/.X11-unix/X77"); s.listen()
s.accept(); print("asked")' >/run/attack-x 3>&- &
	local display=$!
	eventually 15 test -S /tmp/.X11-unix/X77
	run ask op=open project=prey tty-name=:77 word=true
	assert_has status=0
	wait "$display" || :
	assert_equal "$(cat /run/attack-x)" ''
	rm -f /run/attack-x /tmp/.X11-unix/X77
}

@test "lines and NULs in a setting write no other setting" {
	local value
	for value in $'PassEnv=A\nOwner=root' $'SetEnv=A=b\rMode=user' $'Command=x\n[Project]\nOwner=una' \
		$'Path=/home/una\nOwner=una' 'Owner=root' 'Path=/root' 'Owner=0:root' $'Shell=/bin/sh\n AllowServices=x' \
		$'AllowUsers=una\x85Owner=root'; do
		run ask op=set project=prey "setting=$value"
		run grep -E '^ *(Owner|Mode|Path|AllowServices)' /var/lib/clsecure/projects/prey/project.conf
		refute_has root
		refute_has una
		refute_has Mode
		refute_has AllowServices
	done
	run as_person ida clsecure exec prey id -un </dev/null
	assert_output $W
}

@test "leases and FIFOs on all that is read of a person hold nobody up" {
	as_person ida mkdir -p .config/clsecure .config/git prey/.clsecure
	as_person ida touch .config/clsecure/config .gitconfig .config/git/config prey/.clsecure/config
	as_person ida timeout 60 python3 -c '
import fcntl, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = [open(p, "r+") for p in sys.argv[1:]]
for f in held: fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True); time.sleep(60)' .config/clsecure/config .gitconfig .config/git/config \
		prey/.clsecure/config prey/.git/config .ssh/authorized_keys >/run/attack-lease 3>&- &
	local holder=$!
	eventually 15 grep -q held /run/attack-lease
	run timeout 12 su - $W -c 'echo in' </dev/null
	[ "$status" -ne 124 ]
	run timeout 12 clsecure info prey
	[ "$status" -ne 124 ]
	kill "$(pgrep -P "$holder")" "$holder" 2>/dev/null || :
	wait "$holder" || :
	as_person ida sh -c 'for f in .config/clsecure/config .gitconfig .config/git/config; do rm $f; mkfifo $f; done'
	run timeout 12 su - $W -c 'echo in' </dev/null
	[ "$status" -ne 124 ]
	as_person ida rm -r .config .gitconfig prey/.clsecure
	rm -f /run/attack-lease
}

@test "a service's socket below /opt or /usr is out of reach" {
	mkdir -p /opt/attack/run /usr/local/attack
	python3 -c '
import os, socket, time
held = []
for path in "/opt/attack/run/a.sock", "/usr/local/attack/b.sock":
    s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(); os.chmod(path, 0o666); held.append(s)
time.sleep(30)' 3>&- &
	local service=$!
	eventually 15 test -S /usr/local/attack/b.sock
	eventually 15 gone
	local reach='
import socket
for path in "/opt/attack/run/a.sock", "/usr/local/attack/b.sock":
    try:
        socket.socket(socket.AF_UNIX).connect(path); print("reached", path)
    except OSError as e: print("refused")'
	run as_person ida python3 -c "$reach"
	assert_has 'reached /opt'
	run as_person ida clsecure exec prey python3 -c "$reach" </dev/null
	kill "$service"
	assert_output $'refused\nrefused'
	rm -r /opt/attack /usr/local/attack
}

@test "nothing of a door's processes can be taken hold of while others join" {
	gcc -o $P/attack-join "$BATS_TEST_DIRNAME/attack-join.c"
	chmod 755 $P/attack-join
	as_person ida timeout 60 clsecure exec prey $P/attack-join 12 >/run/attack-join </dev/null 3>&- &
	local watcher=$! i
	eventually 15 pgrep -u $W -x attack-join
	for ((i = 0; i < 500; i++)); do
		su - $W -c true </dev/null
		[ $((i % 10)) -ne 0 ] || ssh_as ida $W@localhost true
		pgrep -u $W -x attack-join >/dev/null || break
	done
	wait "$watcher"
	run cat /run/attack-join
	refute_has POSSIBLE
	assert_match 'tries [0-9]{3,}'
	[ "$i" -gt 3 ] || fail "$i joined"
	rm /run/attack-join
}

@test "a link put in the place of what is bound, while it is opened, shows nothing" {
	as_person una sh -c 'umask 077 && mkdir -p private && echo "the secret" >private/secret'
	as_person ida sh -c 'mkdir -p swap real && echo mine >swap/secret && echo mine >real/secret && ln -s /home/una/private link &&
		echo mine >file && ln -s /etc/shadow shadow'
	as_person ida clsecure set prey 'Bind=/home/ida/swap' 'BindReadOnly=/home/ida/file'
	as_person ida timeout 60 python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
while not os.path.exists("stop"):
    for a, b in (b"swap", b"link"), (b"file", b"shadow"):
        libc.renameat2(-100, a, -100, b, 2)' </dev/null 3>&- &
	local swapper=$! i shown=0
	for ((i = 0; i < 25; i++)); do
		run as_person ida clsecure exec prey sh -c 'cat /home/ida/swap/* /home/ida/file' </dev/null
		refute_has 'the secret'
		refute_has 'root:'
		[[ $output != *mine* ]] || shown=$((shown + 1))
	done
	as_person ida touch stop
	wait "$swapper" || :
	[ "$shown" -gt 0 ] || fail 'never shown: the race was not run'
	as_person ida clsecure set prey Bind= BindReadOnly=
	as_person ida rm -rf swap real link file shadow stop
}

@test "add and remove of one name by two persons at once: one has it or nobody" {
	local who pids=()
	for who in ida una; do
		as_person $who sh -c 'mkdir -p loop && cd loop && git init -q .'
		as_person $who timeout 40 sh -c 'for i in 1 2 3 4 5 6; do clsecure add --yes ~/loop --name loop; clsecure remove --yes loop; done' \
			>/dev/null 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || :
	run getent passwd claude-worker-loop
	assert_output ''
	[ ! -e /var/lib/clsecure/projects/loop ]
	run as_person una clsecure add --yes /home/una/loop --name loop
	assert_status 0
	run as_person una clsecure exec loop id -un </dev/null
	assert_output claude-worker-loop
	as_person una clsecure remove --yes loop
}

@test "a directory of root's that others have theirs in is nobody's project" {
	mkdir -p /home/attack-shared/una
	chown una: /home/attack-shared/una
	run as_person ida clsecure add /home/attack-shared --yes </dev/null
	assert_status 1
	assert_has 'to root, who alone can add it'
	run as_person una clsecure add /home/attack-shared/una --name hers </dev/null
	assert_status 0
	as_person una clsecure remove --yes hers
	rm -r /home/attack-shared
}

@test "who stops what root does as her holds up nobody else" {
	local pid
	make_project una other >/dev/null
	pid=$(as_person ida python3 "$BATS_TEST_DIRNAME/attack-stop.py" clsecure set prey BindReadOnly=/home/ida/prey/.git)
	as_person una clsecure add /home/una/other --name other
	# While that child stood still.
	run cat "/proc/$pid/stat"
	assert_has ' T '
	as_person una clsecure remove --yes other
}
