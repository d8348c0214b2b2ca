# A small internet in a network namespace: 203.0.113.2 has Debian's dnsmasq, which notes every
# question, 203.0.113.10 the web (internet.py), sshd and git, under names that end in .test; the
# host is 203.0.113.1 and asks that server. With a test authority that the host trusts.
# shellcheck shell=bash

NET=/run/internet
WEB=203.0.113.10

# in_net NAME COMMAND...: in the background, in the namespace, without a descriptor of bats.
in_net() { systemd-run -q --collect --unit="net-$1" ip netns exec far "${@:2}"; }

# names LINE...: what the names lead to, as in hosts(5); counts at once.
names() {
	printf '%s\n' "$@" >$NET/hosts
	systemctl kill -s HUP net-dns 2>/dev/null || :
}

usual_names() {
	names "$WEB web.test git.test api.test a.wild.test evil.test other.test evilweb.test" \
		'127.0.0.1 loop.test' '10.1.2.3 private.test' '203.0.113.1 host.test'
}

# asked NAME: was anybody asked for it, or for a name below it?
asked() { grep -q "query\[[A-Z]*\] [^ ]*${1//./\\.} " $NET/queries; }

not_asked() { ! asked "$1" || fail "somebody was asked for $1: $(grep "$1" $NET/queries)"; }

internet_ca() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test authority' -keyout $NET/ca.key -out $NET/ca.pem
	openssl req -newkey rsa:2048 -nodes -subj '/CN=web.test' -keyout $NET/web.key -out $NET/web.csr
	openssl x509 -req -in $NET/web.csr -CA $NET/ca.pem -CAkey $NET/ca.key -CAcreateserial -days 2 -out $NET/web.crt \
		-extfile <(echo 'subjectAltName=DNS:web.test,DNS:git.test,DNS:*.wild.test,DNS:api.test')
	cat $NET/web.key $NET/web.crt >$NET/web.pem
	cp $NET/ca.pem /usr/local/share/ca-certificates/internet.crt
	update-ca-certificates
} >/dev/null 2>&1

# A repository, by http and by ssh (as the account "gitta").
internet_git() {
	useradd -m -s /bin/bash gitta
	as_person nel git clone -q --bare /home/nel/net /home/nel/repo.git
	mv /home/nel/repo.git $NET/www/
	chown -R 0:0 $NET/www/repo.git
	git -C $NET/www/repo.git update-server-info
	cp -r $NET/www/repo.git /home/gitta/repo.git
	chown -R gitta: /home/gitta
	passwd -d gitta >/dev/null
	mkdir -p /run/sshd
	in_net sshd /usr/sbin/sshd -D -f /dev/null -o ListenAddress=$WEB -o HostKey=/etc/ssh/ssh_host_ed25519_key \
		-o PermitEmptyPasswords=yes -o PidFile=none -o Subsystem='sftp internal-sftp'
}

internet() {
	mkdir -p $NET/www
	ip netns add far
	ip link add near type veth peer name far netns far
	ip addr add 203.0.113.1/24 dev near
	ip link set near up
	for a in 203.0.113.2 $WEB; do ip -n far addr add $a/24 dev far; done
	ip -n far link set far up
	ip -n far link set lo up
	ip route add default via 203.0.113.2
	internet_ca
	usual_names
	: >$NET/queries
	chmod 666 $NET/queries
	in_net dns dnsmasq -k -u root --no-resolv --no-hosts --addn-hosts=$NET/hosts --log-queries --log-facility=$NET/queries \
		--listen-address=203.0.113.2 --bind-interfaces --local-ttl=1
	in_net web python3 "$BATS_TEST_DIRNAME/internet.py" $WEB $NET/web.pem $NET/www
	rm -f /etc/resolv.conf
	echo 'nameserver 203.0.113.2' >/etc/resolv.conf
	internet_git
	eventually 10 curl -sS -m 2 -o /dev/null https://web.test/
}

internet_end() {
	systemctl stop net-dns net-web net-sshd
	ip netns del far
	userdel -r gitta 2>/dev/null || :
	rm -rf $NET
}
