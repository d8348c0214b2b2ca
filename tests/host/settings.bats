# Settings, each shown by a session: what `add` was told holds inside.
load lib

setup_file() {
	make_person seta
	make_project seta set >/dev/null
	as_person seta mkdir -p /home/seta/data /home/seta/ro
	as_person seta sh -c 'echo data >data/file; echo ro >ro/file; echo secret >set/secret; mkdir set/private;
		echo hidden >set/private/file'
}

teardown() {
	[ ! -e /var/lib/clsecure/projects/setapp ] || as_person seta clsecure remove --yes setapp
}

# project KEY=VALUE...: the project with these settings.
project() {
	as_person seta clsecure add /home/seta/set --name setapp "$@"
}

inside() {
	as_person seta clsecure exec setapp "$@"
}

running() { pgrep -xf 'clsecure-keeper setapp' >/dev/null; }
gone() { ! running; }

# hold: a session in the background that stays until its sleep is killed.
hold() {
	su - claude-worker-setapp -c 'sleep 986' 3>&- &
	eventually 5 pgrep -u claude-worker-setapp -x sleep
}

@test "Bind: writable, at its own place and at another" {
	project Bind=/home/seta/data
	inside sh -c 'cat /home/seta/data/file; echo new >/home/seta/data/new'
	assert_equal "$(cat /home/seta/data/new)" new
	assert_equal "$(stat -c %U /home/seta/data/new)" seta
	as_person seta clsecure remove --yes setapp
	project Bind=/home/seta/data:/srv/data
	run inside cat /srv/data/file
	assert_output data
}

# refused SETTING: at `add`, or when a session is opened; and it says so.
refused() {
	run project "$1"
	if [ "$status" -eq 0 ]; then
		run inside true
		as_person seta clsecure remove --yes setapp
		[ "$status" -ne 0 ] || fail "taken: $1"
	fi
	refute_has 'no name of a project'
	assert_has clsecure
}

@test "Bind: not over the system, not what is another's" {
	local to
	project
	inside true
	as_person seta clsecure remove --yes setapp
	for to in /home /tmp /etc /usr/lib /dev/shm /run/user /var/tmp /root; do
		refused "Bind=/home/seta/data:$to"
	done
	refused Bind=/var/lib:/srv/x
}

@test "BindReadOnly: read, not written" {
	project BindReadOnly=/home/seta/ro
	run inside cat /home/seta/ro/file
	assert_output ro
	run inside sh -c 'echo x >/home/seta/ro/file'
	[ "$status" -ne 0 ]
	assert_has 'Read-only file system'
	assert_equal "$(cat /home/seta/ro/file)" ro
}

@test "Hide: files and directories are empty inside, and as they were outside" {
	project Hide='secret private'
	run inside sh -c 'cat /home/seta/set/secret; ls -A /home/seta/set/private'
	assert_output ''
	run inside mv /home/seta/set/private /home/seta/set/elsewhere
	[ "$status" -ne 0 ]
	assert_equal "$(cat /home/seta/set/secret)" secret
	assert_equal "$(cat /home/seta/set/private/file)" hidden
}

@test "Home=ephemeral: nothing of the home outlives the sandbox; persistent: all" {
	project Home=ephemeral
	inside sh -c 'echo x >~/kept'
	eventually 5 gone
	run inside sh -c 'cat ~/kept'
	[ "$status" -ne 0 ]
	as_person seta clsecure remove --yes setapp
	project
	inside sh -c 'echo x >~/kept'
	eventually 5 gone
	run inside sh -c 'cat ~/kept'
	assert_output x
}

@test "ExpireAfter: nobody enters afterwards" {
	project ExpireAfter=2s
	inside true
	sleep 3
	run inside true
	[ "$status" -ne 0 ]
	assert_has expired
}
