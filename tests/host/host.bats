# The test host itself: what the other files rely on.
load lib

setup_file() {
	make_person hana
}

@test "systemd is up and nothing failed" {
	run systemctl is-system-running
	assert_output running
	run ps -o comm= -p 1
	assert_output systemd
}

@test "dbus, logind, machined, sshd and cron answer" {
	run busctl list --no-pager
	assert_has org.freedesktop.login1
	assert_has org.freedesktop.machine1
	for unit in ssh cron atd; do
		systemctl is-active -q "$unit"
	done
}

@test "a person logs in by ssh, and logind registers it" {
	run ssh_as hana hana@localhost 'echo "$USER $(sed -n s,^0::/,,p /proc/self/cgroup)"; loginctl --no-pager list-sessions'
	assert_status 0
	assert_match 'hana user.slice/user-[0-9]+.slice'
	assert_match '[0-9]+ +hana'
}

@test "the exit status and three streams of an ssh command pass" {
	run bash -c 'source "$1/lib.bash"; echo in | ssh_as hana hana@localhost "cat; echo err >&2; exit 7" 2>/dev/null' - "$BATS_TEST_DIRNAME"
	assert_status 7
	assert_output in
}

@test "a pty of this host can be had" {
	run on_pty sh -c 'tty; stty size >/dev/null && exit 3'
	assert_status 3
	assert_match '^/dev/pts/[0-9]+'
}

@test "there is no network but loopback" {
	run ip -o link
	assert_equal "${#lines[@]}" 1
	assert_has 'lo:'
}

@test "home, state and tmp are on a file system that takes idmapped mounts" {
	for dir in /home /var/lib/clsecure /tmp; do
		mkdir -p "$dir/idmap-try"
		run python3 /usr/src/clsecure/tests/host/dev/idmap-try.py "$dir/idmap-try"
		rmdir "$dir/idmap-try"
		assert_status 0
	done
}

@test "the overlay below takes none, so that the try above can fail" {
	mkdir -p /srv/idmap-try
	run python3 /usr/src/clsecure/tests/host/dev/idmap-try.py /srv/idmap-try
	assert_status 1
}

@test "the sources cannot be written" {
	run touch /usr/src/clsecure/x
	[ "$status" -ne 0 ]
}

@test "the pinned Claude Code is there and runs" {
	run sed -n 's/^version=//p' /usr/src/clsecure/tests/claude.pin
	local version=$output
	run as_person hana /opt/claude/bin/claude --version
	assert_status 0
	assert_has "$version"
}
