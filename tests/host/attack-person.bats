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
	eventually 5 gone
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
	eventually 5 test -S /tmp/.X11-unix/X77
	run ask op=open project=prey tty-name=:77 word=true
	assert_has status=0
	wait "$display" || :
	assert_equal "$(cat /run/attack-x)" ''
	rm -f /run/attack-x /tmp/.X11-unix/X77
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
	eventually 5 test -S /usr/local/attack/b.sock
	eventually 5 gone
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
