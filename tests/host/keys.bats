# clsecure-keys: whose keys sshd is told, with which options, and how soon.
load lib

KEYS=/usr/libexec/clsecure/clsecure-keys

setup_file() {
	make_person keyann
	make_person keybob
	make_project keyann keyapp
	as_person keyann clsecure add keyapp
}

teardown_file() {
	clsecure remove --yes keyapp
}

setup() {
	SSH=/home/keyann/.ssh
	read -r TYPE KEY _ <"$SSH/id_ed25519.pub"
	cp "$SSH/id_ed25519.pub" "$BATS_TEST_TMPDIR/pub"
}

teardown() {
	chmod 700 "$SSH"
	rm -rf "$SSH/authorized_keys"
	cp "$BATS_TEST_TMPDIR/pub" "$SSH/id_ed25519.pub"
	install -o keyann -g keyann -m 600 "$BATS_TEST_TMPDIR/pub" "$SSH/authorized_keys"
	chown keyann:keyann "$SSH/id_ed25519.pub"
}

authorize() { printf '%s\n' "$1" >"$SSH/authorized_keys"; }

@test "the owner's key enters the project; nobody else's does" {
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_status 0
	assert_has "$TYPE $KEY"
	read -r type key _ </home/keybob/.ssh/id_ed25519.pub
	run $KEYS claude-worker-keyapp "$type" "$key"
	assert_output ''
}

@test "AllowUsers lets another person's key in, and resetting it takes it away" {
	read -r type key _ </home/keybob/.ssh/id_ed25519.pub
	clsecure set keyapp AllowUsers=keybob
	run $KEYS claude-worker-keyapp "$type" "$key"
	assert_has "$key"
	clsecure set keyapp AllowUsers=
	run $KEYS claude-worker-keyapp "$type" "$key"
	assert_output ''
}

@test "a .pub file is good from this host only" {
	rm "$SSH/authorized_keys"
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output "from=\"127.0.0.0/8,::1\" $TYPE $KEY"
}

@test "options that narrow are kept, a key with any other is not used" {
	rm "$SSH/id_ed25519.pub"
	authorize "restrict,from=\"10.0.0.0/8\" $TYPE $KEY x"
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output "restrict,from=\"10.0.0.0/8\" $TYPE $KEY"
	for option in 'command="/bin/sh"' 'environment="A=b"' 'cert-authority' 'permitopen="h:1"' 'restrict,pty' 'tunnel="1"'; do
		authorize "$option $TYPE $KEY"
		run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
		assert_output ''
	done
}

@test "a removed key stops at once" {
	rm "$SSH/id_ed25519.pub" "$SSH/authorized_keys"
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output ''
	run $KEYS claude "$TYPE" "$KEY"
	assert_output ''
}

@test "files that others could have written are not read" {
	rm "$SSH/id_ed25519.pub"
	chmod 666 "$SSH/authorized_keys"
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output ''
	chmod 600 "$SSH/authorized_keys"
	chmod 777 "$SSH"
	run $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output ''
}

@test "root opens nothing of the person's: a FIFO, a directory, a link to /etc/shadow" {
	rm "$SSH/id_ed25519.pub" "$SSH/authorized_keys"
	mkfifo -m 600 "$SSH/authorized_keys"
	chown keyann: "$SSH/authorized_keys"
	run timeout 2 $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_status 0
	assert_output ''
	rm "$SSH/authorized_keys"
	ln -s /etc/shadow "$SSH/authorized_keys"
	run timeout 2 $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output ''
	rm "$SSH/authorized_keys"
	mkdir "$SSH/authorized_keys"
	run timeout 2 $KEYS claude-worker-keyapp "$TYPE" "$KEY"
	assert_output ''
	rmdir "$SSH/authorized_keys"
}

@test "the gateway's key has a forced command with a ticket, each time another" {
	run $KEYS claude "$TYPE" "$KEY"
	assert_match '^restrict,pty,command="clsecure-gateway 1\.[0-9a-f.]+" ssh-ed25519 '
	first=$output
	run $KEYS claude "$TYPE" "$KEY"
	[ "$first" != "$output" ]
	authorize "no-pty $TYPE $KEY"
	rm "$SSH/id_ed25519.pub"
	run $KEYS claude "$TYPE" "$KEY"
	assert_match '^restrict,command="clsecure-gateway '
}

@test "strangers, other users, garbage: nothing, within a second" {
	start=${EPOCHREALTIME/./}
	for user in root keyann claude-worker-nobody clsecure-egress 'claude-worker-../x' ''; do
		run $KEYS "$user" "$TYPE" "$KEY"
		assert_output ''
	done
	for key in '' AAAA '!!!' "$(head -c 20000 /dev/zero | tr '\0' A)"; do
		run $KEYS claude-worker-keyapp "$TYPE" "$key"
		assert_output ''
	done
	[ $((${EPOCHREALTIME/./} - start)) -lt 3000000 ]
}

@test "a person may not ask, and the key of tickets is root's" {
	run as_person keyann $KEYS claude "$TYPE" "$KEY"
	assert_status 2
	assert_equal "$(stat -c '%U %a' /var/lib/clsecure/ticket.key)" 'root 600'
	assert_equal "$(stat -c '%U %a' /var/lib/clsecure/keys)" 'root 700'
}

@test "a new key is known to the gateway after --update" {
	as_person keyann sh -c 'ssh-keygen -q -t ed25519 -N "" -f new; cat new.pub >>.ssh/authorized_keys'
	read -r type key _ </home/keyann/new.pub
	run $KEYS claude-worker-keyapp "$type" "$key"
	assert_has "$key"
	run $KEYS claude "$type" "$key"
	assert_output ''
	$KEYS --update
	run $KEYS claude "$type" "$key"
	assert_has "$key"
	rm /home/keyann/new /home/keyann/new.pub
}
