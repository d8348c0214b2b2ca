# host: own
# Network=filtered: unmodified programs reach the names of the policy and nothing else (internet.bash).
load lib
load internet

ALLOWED='web.test git.test git.test:22 *.wild.test loop.test private.test host.test'

setup_file() {
	make_person nel
	make_project nel net >/dev/null
	internet
	as_person nel clsecure add /home/nel/net --name netapp Network=filtered Linger=10min \
		AllowDomains="$ALLOWED"
}

teardown_file() {
	as_person nel clsecure remove --yes netapp
	internet_end
}

inside() { as_person nel clsecure exec netapp "$@"; }

@test "by name: curl, wget, python, node, by http and https" {
	local url
	for url in http://web.test/ https://web.test/; do
		run inside curl -sS -m 5 $url
		assert_output 'web.test for 203.0.113.1'
		run inside wget -qO- -T 5 $url
		assert_output 'web.test for 203.0.113.1'
		run inside python3 -c "import urllib.request; print(urllib.request.urlopen('$url', timeout=5).read().decode(), end='')"
		assert_output 'web.test for 203.0.113.1'
		run inside env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
			node -e "require('${url%%:*}').get('$url', r => r.on('data', d => process.stdout.write(d)))"
		assert_output 'web.test for 203.0.113.1'
	done
	run inside curl -sS -m 5 https://a.wild.test/
	assert_output 'a.wild.test for 203.0.113.1'
}

@test "git by https and by ssh, and ssh" {
	run inside sh -ec 'rm -rf /tmp/a; git clone -q https://git.test/repo.git /tmp/a && cat /tmp/a/README'
	assert_output hello
	run inside sh -ec 'rm -rf /tmp/b; GIT_SSH_COMMAND="ssh -q -o StrictHostKeyChecking=no" git clone -q gitta@git.test:repo.git /tmp/b && cat /tmp/b/README'
	assert_output hello
	run inside ssh -q -o StrictHostKeyChecking=no gitta@git.test id -un
	assert_output gitta
	# a port that no rule names
	run inside ssh -o StrictHostKeyChecking=no -o ConnectTimeout=5 gitta@web.test true
	[ "$status" -ne 0 ]
}

@test "other names are not found at once, and nobody is asked for them" {
	local name
	for name in evil.test allowed.evil.test evilweb.test wild.test secret-data.evil.test WEB.TEST.evil.test; do
		run inside timeout 3 curl -sS http://$name/
		assert_status 6
		run inside timeout 3 getent ahosts $name
		assert_status 2
	done
	run inside timeout 3 python3 -c 'import socket; socket.getaddrinfo("evil.test", 80)'
	assert_has 'Name or service not known'
	run inside timeout 3 node -e 'require("http").get("http://evil.test/").on("error", e => console.log(e.code))'
	assert_output ENOTFOUND
	not_asked evil.test
	not_asked evilweb.test
	# what is allowed was asked, so the notes are kept
	asked web.test
}

@test "the same name in another form is the same name" {
	run inside curl -sS -m 5 -o /dev/null -w '%{http_code}' http://WEB.test./
	assert_output 200
}

@test "addresses, IPv6, UDP, ICMP and raw names of the host are refused at once" {
	local url
	for url in http://$WEB/ https://$WEB/ http://203.0.113.1/ http://[2001:db8::1]/ http://169.254.169.254/ http://[fd00:ec2::254]/ \
		http://10.1.2.3/ http://1.1.1.1/ http://[::ffff:$WEB]/ http://[64:ff9b::cb00:710a]/; do
		run inside timeout 2 curl -gsS $url
		assert_status 7
	done
	run inside python3 - <<-'X'
		import socket, time
		t = time.monotonic()
		for family, address in (socket.AF_INET, "203.0.113.2"), (socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "2001:db8::1"):
		    try:
		        socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, 53))
		        print("sent", address)
		    except OSError as e:
		        print(e.strerror)
		print("fast" if time.monotonic() - t < 0.5 else "slow")
	X
	assert_output $'Network is unreachable\nNetwork is unreachable\nNetwork is unreachable\nfast'
	run inside timeout 2 ping -c1 203.0.113.2
	assert_has 'Network is unreachable'
	# QUIC to an allowed name: refused, so that clients fall back
	run inside python3 - <<-'X'
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect(("web.test", 443))
		s.send(b"x")
		s.settimeout(1)
		try:
		    print(s.recv(1))
		except OSError as e:
		    print(e.strerror)
	X
	assert_output 'Connection refused'
}

@test "an allowed name that leads to the host, its loopback or private addresses leads nowhere" {
	local name
	for name in loop.test private.test host.test; do
		run inside timeout 3 curl -sS http://$name/
		[ "$status" -ne 0 ]
		refute_has ' for '
	done
	run inside sh -c 'curl -sS -m 3 http://127.1/; curl -sS -m 3 http://2130706433/; curl -sS -m 3 http://0x7f.1/'
	refute_has ' for '
}

@test "a name that is public and then leads to loopback (rebinding)" {
	names "$WEB web.test git.test a.wild.test"
	eventually 5 inside curl -sS -m 3 -o /dev/null http://a.wild.test/
	names "$WEB web.test git.test" '127.0.0.1 a.wild.test'
	# a listener of the host, which must not be reached
	systemd-run -q --collect --unit=net-own python3 "$BATS_TEST_DIRNAME/internet.py" 127.0.0.1 $NET/web.pem $NET/www
	eventually 5 curl -sS -m 2 -o /dev/null http://127.0.0.1/
	sleep 5.5 # it may go on with an answer that long
	run inside timeout 5 curl -sS http://a.wild.test/
	systemctl stop net-own
	usual_names
	refute_has ' for '
	[ "$status" -ne 0 ]
	asked a.wild.test
}

@test "another name on the connection of an allowed one" {
	run inside curl -sS -m 5 -H 'Host: evil.test' http://web.test/
	refute_has 'evil.test for'
	run inside curl -sS -m 5 --connect-to evil.test:443:web.test:443 -k https://evil.test/
	[ "$status" -ne 0 ]
	refute_has ' for '
	# and on a connection that is kept
	run inside python3 - <<-'X'
		import socket
		s = socket.create_connection(("web.test", 80), 3)
		s.settimeout(3)
		s.sendall(b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n")
		print(s.recv(4096).split(b"\r\n")[0].decode())
		try:
		    s.sendall(b"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n")
		    m = s.recv(4096)
		except OSError:
		    m = b""
		print("evil" if b"evil.test for" in m else "refused")
	X
	assert_output $'HTTP/1.1 200 OK\nrefused'
}

@test "the proxy decides the same" {
	run inside curl -sS -m 5 -x http://198.18.0.1:3128 https://web.test/
	assert_output 'web.test for 203.0.113.1'
	run inside curl -sS -m 5 -x socks5h://198.18.0.1:3128 http://web.test/
	assert_output 'web.test for 203.0.113.1'
	run inside curl -sS -m 5 -x http://198.18.0.1:3128 https://evil.test/
	assert_has 403
	run inside curl -sS -m 5 -x socks5h://198.18.0.1:3128 http://evil.test/
	[ "$status" -ne 0 ]
	run inside curl -sS -m 5 -x http://198.18.0.1:3128 http://$WEB/
	refute_has ' for '
	run inside curl -sS -m 5 -x http://198.18.0.1:3128 http://127.0.0.1/
	refute_has ' for '
	not_asked evil.test
}

@test "the network inside is nobody's to change" {
	run inside sh -c 'ip link add x type dummy; ip route add default dev lo; ip addr add 10.0.0.1/8 dev lo; nft list ruleset; unshare -n true'
	[ "$status" -ne 0 ]
	run inside sh -c 'ip -o link; ip route'
	assert_equal "$(wc -l <<<"$output")" 1
	run inside python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(321, 0, 0, 0), ctypes.get_errno())'
	assert_has '-1 '
	run inside python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
	assert_has 'not permitted'
}

@test "set: a name that is added counts at once, one that is taken away ends its connections" {
	local transfer
	inside true
	run inside timeout 3 curl -sS http://other.test/
	assert_status 6
	run as_person nel clsecure set netapp AllowDomains+=other.test
	assert_output ''
	run inside curl -sS -m 5 http://other.test/
	assert_output 'other.test for 203.0.113.1'
	(set +e; inside timeout 30 curl -sS -o /dev/null http://other.test/endless; echo $? >"$BATS_TEST_TMPDIR/status") 3>&- &
	transfer=$!
	sleep 1
	SECONDS=0
	as_person nel clsecure set netapp AllowDomains-=other.test
	wait $transfer
	[ $SECONDS -le 3 ]
	assert_equal "$(cat "$BATS_TEST_TMPDIR/status")" 56
	run inside timeout 3 curl -sS http://other.test/
	[ "$status" -ne 0 ]
	as_person nel clsecure set netapp DenyDomains+=web.test
	run inside timeout 3 curl -sS http://web.test/
	[ "$status" -ne 0 ]
	as_person nel clsecure set netapp DenyDomains-=web.test
	run inside curl -sS -m 5 http://web.test/
	assert_output 'web.test for 203.0.113.1'
}

@test "AllowHostPorts: that port of the host's loopback, at the same number" {
	systemd-run -q --collect --unit=net-own python3 "$BATS_TEST_DIRNAME/internet.py" 127.0.0.1 $NET/web.pem $NET/www
	eventually 5 curl -sS -m 2 -o /dev/null http://127.0.0.1/
	run inside timeout 3 curl -sS http://127.0.0.1/
	assert_status 7
	as_person nel clsecure set netapp AllowHostPorts=80
	run inside curl -sS -m 5 http://127.0.0.1/
	assert_output '127.0.0.1 for 127.0.0.1'
	run inside curl -gsS -m 5 http://localhost/
	assert_output 'localhost for 127.0.0.1'
	as_person nel clsecure set netapp AllowHostPorts=
	run inside timeout 3 curl -sS http://127.0.0.1/
	assert_status 7
	systemctl stop net-own
}

@test "a set that cannot be read leaves no network, and says so; mended, it counts" {
	mkdir -p /etc/clsecure/domains.d
	printf '[Network]\nAllowDomains=other.test\n' >/etc/clsecure/domains.d/mine.conf
	as_person nel clsecure set netapp AllowDomains+=@mine
	run inside curl -sS -m 5 http://other.test/
	assert_output 'other.test for 203.0.113.1'
	echo garbage >/etc/clsecure/domains.d/mine.conf
	run inside timeout 3 curl -sS http://web.test/
	[ "$status" -ne 0 ]
	journalctl -q --no-pager -t clsecure-keeper --since -10s | grep -q 'nothing is reached: .*mine.conf'
	printf '[Network]\nAllowDomains=other.test\n' >/etc/clsecure/domains.d/mine.conf
	run inside curl -sS -m 5 http://web.test/
	assert_output 'web.test for 203.0.113.1'
	as_person nel clsecure set netapp AllowDomains-=@mine
}

@test "net: what was reached and refused, why, and how much; also when the sandbox has ended" {
	local count
	inside curl -sS -m 5 -o /dev/null http://web.test/
	inside timeout 3 curl -sS -o /dev/null http://never.evil.test/ || :
	run as_person nel clsecure net netapp
	assert_status 0
	assert_match 'reached +web.test +80 +[0-9]+ .* web.test'
	assert_match 'refused +never.evil.test +- +[0-9]+ .*no rule allows it'
	run as_person nel clsecure net netapp --json
	assert_equal "$(jq -r '.version, (.net[] | select(.name == "never.evil.test") | .verdict, .port)' <<<"$output" | xargs)" '1 refused 0'
	count=$(jq -r '.net[] | select(.name == "never.evil.test") | .count' <<<"$output")
	jq -e '.net[] | select(.name == "web.test" and .port == 80 and .verdict == "reached") | .received > 100 and .sent > 50 and .open == 0' <<<"$output"
	as_person nel clsecure kill netapp
	eventually 5 test -s /var/lib/clsecure/projects/netapp/log/network
	run as_person nel clsecure net netapp
	assert_has never.evil.test
	# and it goes on counting
	inside timeout 3 curl -sS -o /dev/null http://never.evil.test/ || :
	run as_person nel clsecure net netapp --json
	assert_equal "$(jq -r '.net[] | select(.name == "never.evil.test") | .count' <<<"$output")" $((2 * count))
	run as_person gitta clsecure net netapp
	assert_status 1
	assert_has 'not yours'
}

@test "net -f: a line for what changes" {
	inside true
	as_person nel timeout 4 clsecure net -f netapp >"$BATS_TEST_TMPDIR/lines" 3>&- &
	sleep 1
	inside timeout 3 curl -sS -o /dev/null http://later.evil.test/ || :
	eventually 4 grep -q 'refused later.evil.test .*no rule allows it' "$BATS_TEST_TMPDIR/lines"
}

@test "allow: by name, and what was refused, after a yes" {
	inside timeout 3 curl -sS -o /dev/null http://other.test/ || :
	run as_person nel clsecure allow netapp </dev/null
	assert_status 1
	assert_has other.test
	run inside timeout 3 curl -sS http://other.test/
	assert_status 6
	run as_person nel clsecure allow netapp other.test
	assert_output ''
	run inside curl -sS -m 5 http://other.test/
	assert_output 'other.test for 203.0.113.1'
	as_person nel clsecure set netapp AllowDomains-=other.test
	run as_person nel clsecure allow netapp http://other.test/
	assert_status 2
	assert_has 'not a list of NAME'
	run as_person nel clsecure allow netapp --yes
	assert_has never.evil.test
	run as_person nel clsecure info netapp
	assert_match 'AllowDomains .*never.evil.test'
	as_person nel clsecure set netapp AllowDomains="$ALLOWED"
}

@test "Learn=yes: names are allowed and noted, what is not public is not; then they are offered" {
	as_person nel clsecure set netapp Learn=yes AllowDomains=
	as_person nel clsecure set netapp AllowDomains-=@claude
	run inside curl -sS -m 5 http://other.test/
	assert_output 'other.test for 203.0.113.1'
	run inside timeout 3 curl -sS http://loop.test/
	refute_has ' for '
	as_person nel clsecure set netapp Learn=no
	run inside timeout 3 curl -sS http://other.test/
	[ "$status" -ne 0 ]
	run as_person nel clsecure allow netapp </dev/null
	assert_has other.test
	as_person nel clsecure set netapp AllowDomains="$ALLOWED"
}

@test "Ask=yes: a connection to a new name waits for the person's answer" {
	local transfer
	inside true
	as_person nel clsecure set netapp Ask=yes
	inside curl -sS -m 20 http://other.test/ >"$BATS_TEST_TMPDIR/page" 2>&1 3>&- &
	transfer=$!
	waiting() { [ "$(as_person nel clsecure approvals netapp)" = other.test:80 ]; }
	eventually 5 waiting
	assert_equal "$(as_person nel clsecure approvals netapp --json | jq -c '.approvals[] | [.name, .port]')" '["other.test",80]'
	# no
	(sleep 1.5; echo n; sleep 3) | as_person nel timeout 4 script -qec 'clsecure approvals -f netapp' /dev/null >"$BATS_TEST_TMPDIR/tty" || :
	grep -q 'other.test:80 is new. Allow it?' "$BATS_TEST_TMPDIR/tty"
	wait $transfer || :
	run cat "$BATS_TEST_TMPDIR/page"
	refute_has ' for '
	run as_person nel clsecure net netapp
	assert_match 'refused +other.test +80 .*the answer was no'
	# yes, to another
	inside curl -sS -m 20 http://web.test:81/ >"$BATS_TEST_TMPDIR/page2" 2>&1 3>&- &
	(sleep 3; echo y; sleep 3) | as_person nel timeout 5 script -qec 'clsecure approvals -f netapp' /dev/null >"$BATS_TEST_TMPDIR/tty" || :
	grep -q 'web.test:81 is new. Allow it?' "$BATS_TEST_TMPDIR/tty"
	run as_person nel clsecure info netapp
	assert_match 'AllowDomains .*web.test:81'
	as_person nel clsecure set netapp Ask=no AllowDomains="$ALLOWED"
	run as_person gitta clsecure approvals netapp
	assert_status 1
}

@test "forward: a port inside on the host's loopback, until interrupted" {
	local pid
	inside true
	run as_person nel clsecure forward netapp 99999
	assert_status 2
	inside timeout 60 python3 -m http.server -b 127.0.0.1 3000 >/dev/null 2>&1 3>&- &
	as_person nel timeout 60 clsecure forward netapp 3000 3000:3001 >"$BATS_TEST_TMPDIR/said" 3>&- &
	eventually 5 curl -sS -m 2 -o /dev/null http://127.0.0.1:3000/
	run cat "$BATS_TEST_TMPDIR/said"
	assert_has 'localhost:3001 is port 3000 inside'
	run curl -sS -m 5 http://localhost:3001/
	assert_has 'Directory listing'
	# half-closed, and much
	inside timeout 60 python3 -c '
import socket
s = socket.create_server(("::1", 3002), family=socket.AF_INET6)
c, _ = s.accept()
n = 0
while m := c.recv(65536):
    n += len(m)
c.sendall(b"%d" % n)' 3>&- &
	as_person nel timeout 60 clsecure forward netapp 3002 3>&- >/dev/null &
	listens() { inside ss -ltn | grep -q ':3002 '; }
	eventually 10 listens
	run python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 3002), 5)
s.sendall(b"x" * 5000000)
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode())'
	assert_output 5000000
	pid=$(pgrep -xof 'clsecure forward netapp 3000 3000:3001')
	# it ends with its ports and its connections
	exec {held}<>/dev/tcp/127.0.0.1/3001
	eventually 3 pgrep -P "$pid"
	kill -INT "$pid"
	gone() { ! ss -Hltn | grep -q ':3001 ' && ! pgrep -xf "clsecure forward netapp 3000 3000:3001"; }
	eventually 3 gone
	exec {held}>&-
	kill "$(pgrep -xof 'clsecure forward netapp 3002')"
	as_person nel clsecure kill netapp
}

@test "by sudo, which leaves limits that cannot be raised" {
	as_person nel clsecure kill netapp
	sleep 1
	run sudo -u claude-worker-netapp curl -sS -m 5 http://web.test/ </dev/null
	assert_output 'web.test for 203.0.113.1'
}

@test "clsecure-egress is nobody: its own uid, no capability, a filter, no file of the sandbox" {
	local pid
	inside true
	pid=$(pgrep -x clsecure-egress)
	assert_equal "$(stat -c %U /proc/$pid/maps)" root # not dumpable
	run grep -E '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$pid/status
	assert_match "Uid:[[:space:]]+$(id -u clsecure-egress)[[:space:]]"
	assert_match 'CapPrm:[[:space:]]+0000000000000000'
	assert_match 'CapEff:[[:space:]]+0000000000000000'
	assert_match 'NoNewPrivs:[[:space:]]+1'
	assert_match 'Seccomp:[[:space:]]+2'
	[ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/1/ns/net)" ]
	as_person nel clsecure kill netapp
	gone() { ! pgrep -x clsecure-egress; }
	eventually 5 gone
}
