# host: own
# Network=full with real traffic: another machine (far.py) in a network namespace of its own, behind a
# veth pair, with names and pages. And Network=none.
load lib

FAR=192.0.2.2
NEAR=192.0.2.1

# service NAME COMMAND...: in the background, without a descriptor of bats.
service() { systemd-run -q --collect --unit="net-$1" "${@:2}"; }

setup_file() {
	make_person nel
	make_project nel net >/dev/null
	ip netns add far
	ip link add near type veth peer name far netns far
	ip addr add $NEAR/24 dev near
	ip link set near up
	ip -n far addr add $FAR/24 dev far
	ip -n far link set far up
	ip route add default via $FAR
	ip -n far link set lo up
	service far ip netns exec far python3 "$BATS_TEST_DIRNAME/far.py" $FAR
	# and the host's own resolver
	service own python3 "$BATS_TEST_DIRNAME/far.py" 127.0.0.53 $FAR
	rm -f /etc/resolv.conf
	echo "nameserver $FAR" >/etc/resolv.conf
	eventually 5 getent hosts far.test
	as_person nel clsecure add /home/nel/net --name netapp Network=full
}

inside() { as_person nel clsecure exec netapp "$@"; }
running() { pgrep -xf 'clsecure-keeper netapp' >/dev/null; }
gone() { ! running; }
fetch() { inside curl -sS --max-time 5 "$1"; }

# names_work: by UDP, by TCP for what is too long, and that there is no such name, each in time.
names_work() {
	eventually 5 gone
	run inside timeout 4 curl -sS http://far.test/
	assert_output "far sees $NEAR"
	run inside timeout 4 getent ahostsv4 no.test
	assert_status 2
}
long_names_work() {
	run inside timeout 4 getent ahostsv4 long.test
	assert_status 0
	assert_has $FAR
}

@test "by address and by name" {
	run fetch http://$FAR/
	assert_output "far sees $NEAR"
	names_work
	long_names_work
}

# resolved OWNER: what systemd-resolved leaves, a stub and whom it asks
resolved() {
	mkdir -p /run/systemd/resolve
	printf 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch test\n' >/run/systemd/resolve/stub-resolv.conf
	printf '# upstream\nnameserver %s\nsearch test\n' $FAR >/run/systemd/resolve/resolv.conf
	chown "$1" /run/systemd/resolve /run/systemd/resolve/*
}

@test "names where resolv.conf is a link to systemd-resolved's stub, or to those that it asks" {
	local to
	resolved systemd-network
	for to in stub-resolv.conf resolv.conf; do
		ln -sf "../run/systemd/resolve/$to" /etc/resolv.conf
		names_work
		long_names_work
		run inside timeout 4 getent hosts far
		assert_has $FAR
	done
	# the stub alone: pasta forwards
	rm /run/systemd/resolve/resolv.conf
	ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
	names_work
	rm -r /run/systemd/resolve
}

@test "names where the host asks itself" {
	rm /etc/resolv.conf
	echo 'nameserver 127.0.0.53' >/etc/resolv.conf
	names_work
	run inside cat /etc/resolv.conf
	assert_has 'nameserver 169.254.1.1'
	echo "nameserver $FAR" >/etc/resolv.conf
}

# The host's own services, which the host itself reaches.
@test "the host's loopback, its own address and its abstract sockets stay out of reach" {
	local url
	service four python3 -m http.server 81 --bind 127.0.0.1
	service six python3 -m http.server 81 --bind ::1
	service near python3 -m http.server 81 --bind $NEAR
	service abstract python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("\0clsecure-net-test"); s.listen(); time.sleep(600)'
	for url in 127.0.0.1 '[::1]' $NEAR; do
		eventually 5 curl -sS -o /dev/null "http://$url:81/"
	done
	eventually 5 grep -q @clsecure-net-test /proc/net/unix
	eventually 5 gone
	run fetch http://$FAR/
	assert_status 0
	for url in 127.0.0.1 '[::1]' $NEAR 169.254.1.1 0.0.0.0 127.0.0.53 localhost; do
		run inside curl -sS -o /dev/null --max-time 3 "http://$url:81/"
		[ "$status" -eq 7 ] || [ "$status" -eq 28 ] || fail "$url: $status $output"
	done
	run inside curl -sS -o /dev/null --max-time 3 http://127.0.0.53/
	assert_status 7
	run inside python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("\0clsecure-net-test")'
	[ "$status" -ne 0 ]
	assert_has 'Connection refused'
	run inside cat /proc/net/unix
	refute_has clsecure-net-test
}

@test "nothing of the host's network can be changed from inside" {
	run inside ip link add x type dummy
	[ "$status" -ne 0 ]
	run inside ip addr flush dev near
	[ "$status" -ne 0 ]
	run inside ip route del default
	[ "$status" -ne 0 ]
	run fetch http://$FAR/
	assert_status 0
}

# It calls itself passt.avx2 or pasta, by its version and the processor.
pastas() { pgrep -x 'pass?ta?(\.avx2)?'; }
# A guard that was killed is a zombie until the keeper ends.
no_pasta() { ! pgrep -u clsecure-pasta -r R,S,D >/dev/null; }

@test "pasta is clsecure-pasta's, and dies with the sandbox" {
	local pid
	eventually 5 no_pasta
	su - claude-worker-netapp -c 'sleep 986' </dev/null >/dev/null 2>&1 3>&- &
	eventually 5 pgrep -u claude-worker-netapp -x sleep
	pid=$(pastas) || fail "no pasta: $(ps -u clsecure-pasta)"
	assert_equal "$(stat -c %U "/proc/$pid")" clsecure-pasta
	run grep -E '^(Uid|Gid|Groups):' "/proc/$pid/status"
	assert_match "Uid:.$(id -u clsecure-pasta).$(id -u clsecure-pasta).$(id -u clsecure-pasta)"
	refute_has $'\t0'
	run inside sh -c 'ps -e -o user= -o comm='
	refute_has pasta
	pkill -u claude-worker-netapp -x sleep
	eventually 3 no_pasta
	# also when nobody can clean up
	for pattern in 'clsecure-keeper netapp' 'clsecure-keeper --network [a-z]*'; do
		su - claude-worker-netapp -c 'sleep 986' </dev/null >/dev/null 2>&1 3>&- &
		eventually 5 pgrep -u claude-worker-netapp -x sleep
		pastas
		pid=$(pgrep -o -xf "$pattern")
		kill -9 "$pid"
		eventually 3 no_pasta || fail "after the end of $pattern"
		pkill -u claude-worker-netapp -x sleep || :
		eventually 5 gone
	done
}

# refused TEXT: nobody enters, and it says why; without the network all is well
refused() {
	eventually 5 gone
	run inside true
	assert_status 125
	assert_has "$1"
	run su - claude-worker-netapp -c 'echo in' </dev/null
	[ "$status" -ne 0 ]
	refute_has $'\nin'
	run as_person nel clsecure exec --no-network netapp echo in
	assert_output in
	eventually 3 no_pasta
}

@test "without pasta, without its device, without a route: refused with the reason" {
	mv /usr/bin/pasta /usr/bin/pasta.away
	refused 'Network=full needs pasta: install it'
	mv /usr/bin/pasta.away /usr/bin/pasta
	chmod 600 /dev/net/tun
	refused 'Network=full needs /dev/net/tun'
	chmod 666 /dev/net/tun
	ip route del default
	refused 'has the host a default route?'
	ip route add default via $FAR
	run fetch http://$FAR/
	assert_status 0
}

@test "--allow-network for one run; Network=none has a loopback alone" {
	eventually 5 gone
	as_person nel clsecure set netapp Network=none
	run inside sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1; ls /etc/resolv.conf'
	assert_match '^ *lo'
	assert_has 'No such file'
	run inside curl -sS --max-time 3 http://$FAR/
	assert_status 7
	eventually 5 gone
	run as_person nel clsecure exec --allow-network netapp curl -sS --max-time 5 http://far.test/
	assert_output "far sees $NEAR"
	as_person nel clsecure set netapp Network=full
}

@test "a project's file can take the network, and not give it" {
	eventually 5 gone
	as_person nel sh -c 'mkdir -p net/.clsecure; printf "[Network]\nNetwork=none\n" >net/.clsecure/config'
	as_person nel clsecure set netapp Network=
	mkdir -p /etc/clsecure
	printf '[Network]\nNetwork=full\n' >/etc/clsecure/clsecure.conf
	run fetch http://$FAR/
	assert_status 7
	eventually 5 gone
	rm -r /home/nel/net/.clsecure
	run fetch http://$FAR/
	assert_status 0
	eventually 5 gone
	rm /etc/clsecure/clsecure.conf
	as_person nel sh -c 'mkdir -p net/.clsecure; printf "[Network]\nNetwork=full\n" >net/.clsecure/config'
	run fetch http://$FAR/
	assert_status 7
}
