# clsecured under those who mean no good: what is no message, who does not speak, who claims to be another.
load lib

setup_file() {
	make_person dann
	make_person dbob
	make_project dann dapp
	as_person dann clsecure add dapp
}

teardown_file() {
	clsecure remove --yes dapp
}

# raw USER: python's rest of a program, with `talk(bytes) -> replies` for it.
raw() {
	as_person "$1" python3 -c '
import array, os, socket, struct, sys, time
PATH = "/run/clsecure/clsecured.sock"
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(PATH)
    return s
def frame(*strings):
    body = b"".join(x.encode() + b"\0" for x in strings)
    return struct.pack("=I", len(body)) + body
def drain(s):
    data = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                break
            data += got
    except ConnectionResetError:
        pass
    return data
def talk(data, fds=()):
    s = connect()
    if fds:
        s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    else:
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    return drain(s)
'"$2"
}

works() {
	run timeout 10 setpriv --reuid dann --regid dann --init-groups clsecure list
	assert_status 0
	assert_has dapp
}

@test "what is no message is refused, and the next is served" {
	raw dbob '
for data in (b"", b"\0", b"\0\0\0\0", b"\5\0\0\0op=x", b"\5\0\0\0opxx\0", b"\xff\xff\xff\xff" + b"x" * 100,
        struct.pack("=I", 65537) + b"a" * 65537, b"GET / HTTP/1.0\r\n\r\n", os.urandom(5000), frame("op=nothing"),
        frame("op="), frame("x=y"), frame("op=list", "op=add"), frame("op=add", "path=relative"),
        frame("op=add", "path=/a/../etc"), frame("op=add", "path=/\n"), frame("op=find", "project=../../etc"),
        frame("op=open", "project=dapp", "word=id"), frame("op=kill", "project=dapp", "session=0"),
        frame("op=kill", "project=dapp", "session=99999999999999999999")):
    reply = talk(data)
    assert b"code=0\0" not in reply, (data[:40], reply)
'
	works
}

@test "an identity in a message is not believed" {
	raw dbob '
for extra in (["uid=0"], ["peer=0", "admin=1"], ["who=dann"], ["user=root", "gateway=1"], ["ticket=" + "0" * 64]):
    for op in ("find", "set", "remove", "kill", "info", "sessions", "net", "refuse", "dial"):
        reply = talk(frame("op=" + op, "project=dapp", "setting=MaxSessions=1", *extra))
        assert b"code=-13\0" in reply, (op, extra, reply)
    reply = talk(frame("op=list", *extra))
    assert b"dapp" not in reply and b"code=0\0" in reply, reply
'
	run as_person dann clsecure info dapp
	assert_match 'MaxSessions .*256'
}

@test "what is no port is refused, also where it would be one if it were cut" {
	raw dann '
for port in ("", "0x50", "-1", "65536", "4294967376", "80 ", "99999999999999999999"):
    for op in ("dial", "refuse"):
        reply = talk(frame("op=" + op, "project=dapp", "name=a.test", "port=" + port))
        assert b"code=-22\0" in reply and b"is no port" in reply, (op, port, reply)
'
}

@test "another person does not enter, with descriptors or without" {
	raw dbob '
null = os.open("/dev/null", os.O_RDWR)
for fds in ((), (null,), (null, null, null)):
    reply = talk(frame("op=open", "project=dapp", "word=id"), fds)
    assert b"code=-13\0" in reply, reply
'
}

@test "descriptors: too many, too few, directories, terminals, O_PATH, sockets of a kind" {
	raw dann '
null = os.open("/dev/null", os.O_RDWR)
root = os.open("/", os.O_RDONLY)
path = os.open("/etc/passwd", os.O_PATH)
master, slave = os.openpty()
poll = __import__("select").epoll().fileno()
good = frame("op=open", "project=dapp", "word=true")
for fds in ((null,), (null, null), (null, null, null, null), (null, null, root), (root, null, null), (path, null, null),
        (slave, null, null), (null, master, null), (null, null, poll)):
    reply = talk(good, fds)
    assert b"type=exit" not in reply and b"code=0\0" not in reply, (fds, reply)
reply = talk(frame("op=open", "project=dapp", "terminal=1"), (null, null, null))
assert b"type=opened" not in reply, reply
'
	eventually 5 sh -c '[ -z "$(ps -o pid= -U claude-worker-dapp)" ]'
}

@test "ten thousand half-open connections keep nobody out" {
	raw dbob '
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = []
for i in range(10000):
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect(PATH)
        if i % 2:
            s.send(b"\5\0")
        held.append(s)
    except (BlockingIOError, OSError):
        s.close()
        time.sleep(.001)
open("/tmp/d-held", "w").write("x")
time.sleep(8)
' &
	pid=$!
	eventually 30 test -e /tmp/d-held
	start=$EPOCHREALTIME
	works
	run timeout 20 setpriv --reuid dann --regid dann --init-groups clsecure exec dapp echo in
	assert_output in
	[ $((${EPOCHREALTIME%.*} - ${start%.*})) -lt 5 ]
	run sh -c 'pgrep -c clsecured'
	[ "$output" -le 140 ]
	wait $pid || :
	eventually 10 sh -c '[ "$(pgrep -c clsecured)" -le 2 ]'
	rm -f /tmp/d-held
}

@test "who does not speak is let go after the deadline" {
	raw dbob '
s = connect()
start = time.time()
reply = drain(s)
took = time.time() - start
assert 3 < took < 9, took
s = connect()
s.send(b"\5\0\0\0o")
start = time.time()
drain(s)
assert 3 < time.time() - start < 9
'
}

@test "a worker, the gateway and the helpers' users are no peers" {
	uid=$(id -u claude-worker-dapp)
	for who in "$uid" $(id -u claude) $(id -u clsecure-egress) $(id -u clsecure-pasta); do
		run setpriv --reuid "$who" --regid "$who" --clear-groups python3 -c '
import socket, struct
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.settimeout(10)
s.connect("/run/clsecure/clsecured.sock")
body = b"op=list\0"
s.sendall(struct.pack("=I", len(body)) + body)
print(s.recv(65536))'
		refute_has "code=0"
		refute_has dapp
	done
}

@test "its socket by LISTEN_FDS, or one of its own; nobody else runs it" {
	run as_person dann /usr/libexec/clsecure/clsecured --socket /tmp/d.sock
	assert_status 1
	/usr/libexec/clsecure/clsecured --socket /tmp/d-own.sock &
	pid=$!
	eventually 5 test -S /tmp/d-own.sock
	assert_equal "$(stat -c %a /tmp/d-own.sock)" 666
	kill $pid
	wait $pid
	rm -f /tmp/d-own.sock
	run env LISTEN_PID=1 LISTEN_FDS=1 timeout 1 /usr/libexec/clsecure/clsecured --version
	assert_status 0
	run bash -c 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$BASHPID exec /usr/libexec/clsecure/clsecured'
	assert_status 1
	assert_has "no listening stream socket"
}

@test "sessions go on when clsecured is restarted" {
	as_person dann clsecure exec dapp sh -c 'echo up; sleep 3; echo still' >/tmp/d-restart &
	pid=$!
	eventually 5 grep -q up /tmp/d-restart
	systemctl restart clsecured.service
	wait $pid
	grep -q still /tmp/d-restart
	works
}
