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
	rm -rf /home/seta/set/.clsecure*
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

# hold [SECONDS]: a session in the background; its holder is in $held.
hold() {
	su - claude-worker-setapp -c "sleep ${1:-986}" </dev/null >/dev/null 2>&1 3>&- &
	held=$!
	eventually 5 pgrep -u claude-worker-setapp -f "^sleep ${1:-986}"
}

# release: ends what hold() began.
release() {
	pkill -u claude-worker-setapp -x sleep
	wait "$held" || :
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

# refused SETTING REASON: at `add`, or when a session is opened; and it says why.
refused() {
	run project "$1"
	if [ "$status" -eq 0 ]; then
		run inside true
		as_person seta clsecure remove --yes setapp
	fi
	[ "$status" -ne 0 ] || fail "taken: $1"
	[[ $output =~ $2 ]] || fail "$1: $output; not: $2"
}

@test "Bind: not over the system, not what is another's" {
	local to
	project
	inside true
	as_person seta clsecure remove --yes setapp
	for to in / /etc /usr/lib /dev/shm /run/user /var/tmp; do
		refused "Bind=/home/seta/data:$to" "Bind= is not a list of SOURCE or SOURCE:DESTINATION"
	done
	refused Bind=/home/seta/data:/home 'in front of the project'
	for to in /tmp /root; do
		refused "Bind=/home/seta/data:$to" "'$to' cannot be shown inside"
	done
	refused Bind=/var/lib:/srv/x "'/var/lib' belongs to somebody else"
	refused Bind=/home/seta/none:/srv/x "'/home/seta/none': No such file"
	refused BindReadOnly=/etc/shadow:/srv/x "'/etc/shadow': Permission denied"
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

@test "ExpireAfter: nobody enters afterwards, and set lets in again while a session is on" {
	project ExpireAfter=2s
	hold
	sleep 3
	run inside true
	[ "$status" -ne 0 ]
	assert_has "clsecure: enter project 'setapp': the project 'setapp' has expired: 'clsecure set setapp ExpireAfter='"
	run ssh_as seta claude-worker-setapp@localhost true
	[ "$status" -ne 0 ]
	as_person seta clsecure set setapp ExpireAfter=1h
	inside true
	as_person seta clsecure set setapp ExpireAfter=1s
	sleep 2
	run inside true
	[ "$status" -ne 0 ]
	assert_has expired
	release
}

# loud_ssh: ssh that shows what PAM says
loud_ssh() {
	as_person seta ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		claude-worker-setapp@localhost "$@"
}

@test "MaxSessions: one more is refused with the reason, by every door, until one ends" {
	project MaxSessions=1
	hold
	run inside true
	assert_status 125
	assert_has 'as many sessions as it may (MaxSessions)'
	run loud_ssh true
	assert_status 255
	assert_has 'as many sessions as it may (MaxSessions)'
	run su - claude-worker-setapp -c true
	[ "$status" -ne 0 ]
	assert_has MaxSessions
	# runuser asks for no account: the keeper itself refuses
	run runuser -l claude-worker-setapp -c true
	[ "$status" -ne 0 ]
	run as_person seta clsecure sessions setapp
	assert_equal "$(grep -c setapp: <<<"$output")" 1
	release
	eventually 5 inside true
	eventually 5 loud_ssh true
}

# Each phase of PAM asks once; that a keeper is there is asked too, and costs no reading.
@test "a login that joins has the keeper read its settings twice" {
	project MaxSessions=9
	hold
	local keeper trace=$BATS_TEST_TMPDIR/trace tracer
	keeper=$(pgrep -oxf 'clsecure-keeper setapp') # PID 1 inside is its copy
	strace -qq -e trace=openat -o "$trace" -p "$keeper" 3>&- &
	tracer=$!
	eventually 5 grep -q TracerPid:.*[1-9] "/proc/$keeper/status"
	su claude-worker-setapp -c true
	kill "$tracer"
	wait "$tracer" || :
	release
	assert_equal "$(grep -c '"project.conf"' "$trace")" 2
}

@test "MaxSessions: set counts at once, for a sandbox that runs" {
	project MaxSessions=1
	hold
	run as_person seta clsecure set setapp MaxSessions=2
	assert_output ''
	inside true
	as_person seta clsecure set setapp MaxSessions=1
	run inside true
	assert_status 125
	assert_has MaxSessions
	# and nobody was put out
	pgrep -u claude-worker-setapp -x sleep
	release
}

@test "MaxSessions: the project's file makes it less, and never more" {
	as_person seta sh -c 'mkdir set/.clsecure; printf "[Session]\nMaxSessions=1\n" >set/.clsecure/config'
	project
	hold
	run inside true
	assert_status 125
	assert_has MaxSessions
	release
	eventually 5 gone
	as_person seta sh -c 'printf "[Session]\nMaxSessions=500\n" >set/.clsecure/config'
	run inside true
	assert_status 0
	run as_person seta clsecure info setapp
	assert_match 'MaxSessions +default +256'
}

left() { pgrep -u claude-worker-setapp -f '^sleep 984' >/dev/null; }

@test "Linger: the sandbox lives on with what runs in it, is joined, and then all is gone" {
	project Linger=5s
	inside sh -c 'sleep 984 >/dev/null 2>&1 & echo first >/tmp/mark'
	sleep 1.5
	left
	run inside cat /tmp/mark
	assert_output first
	# counted from the end of the last session
	never_for 4 gone
	left
	eventually 4 gone
	run left
	[ "$status" -ne 0 ]
	run inside cat /tmp/mark
	[ "$status" -ne 0 ]
}

@test "Linger=0: what was left in the background ends with the session" {
	project
	inside sh -c 'sleep 984 >/dev/null 2>&1 &'
	eventually 2 gone
	run left
	[ "$status" -ne 0 ]
}

@test "Linger: set counts at once, for a sandbox that runs or lingers" {
	project
	hold
	as_person seta clsecure set setapp Linger=1h
	release
	never_for 2 gone
	run as_person seta clsecure set setapp TmpSize=5M Linger=2h
	assert_has 'What was said of TmpSize counts from the next sandbox'
	refute_has Linger
	running
	as_person seta clsecure set setapp Linger=
	eventually 2 gone
	run as_person seta clsecure set setapp TmpSize=6M
	assert_output ''
}

@test "AllowUsers and AllowGroups: by su, by clsecure and by ssh, at once, and taken back at once" {
	local setting door
	local -a su=(as_person setb su - claude-worker-setapp -c true)
	local -a exec=(as_person setb clsecure exec setapp true)
	local -a ssh=(ssh_as setb claude-worker-setapp@localhost true)
	make_person setb
	groupadd -f setgroup
	usermod -a -G setgroup setb
	project
	hold
	for setting in AllowUsers=setb AllowGroups=setgroup; do
		for door in su exec ssh; do
			local -n words=$door
			run "${words[@]}" </dev/null
			[ "$status" -ne 0 ] || fail "$door let setb in before $setting"
		done
		as_person seta clsecure set setapp "$setting"
		for door in su exec ssh; do
			local -n words=$door
			"${words[@]}" </dev/null || fail "$door did not let setb in with $setting"
		done
		run as_person setb clsecure set setapp Network=full
		assert_status 1
		assert_has "belongs to 'seta'"
		as_person seta clsecure set setapp "${setting%%=*}="
	done
	run "${exec[@]}"
	assert_status 125
	assert_has AllowUsers
	run "${su[@]}" </dev/null
	[ "$status" -ne 0 ]
	run "${ssh[@]}"
	assert_status 255
	release
}

# doubtful SETTING WORDS: taken, by set and by add, and said on stderr; without WORDS nothing is said.
doubtful() {
	local name=${1%%[+=]*}
	run --separate-stderr as_person seta clsecure set setapp "$1"
	assert_status 0
	[ "$output" = '' ] || fail "set $1: $output"
	[ "$stderr" = "${2:+clsecure: $2}" ] || fail "set $1: $stderr; not: $2"
	as_person seta clsecure set setapp "$name="
}

@test "set says what it takes and what will do nothing: no such user, group, or shell inside" {
	bats_require_minimum_version 1.5.0
	project
	doubtful AllowUsers=seta
	doubtful AllowUsers='seta setghost' "AllowUsers= is set, but there is no user 'setghost'"
	doubtful AllowUsers+=clsecure-egress "AllowUsers= is set, but 'clsecure-egress' is one of clsecure's own users"
	doubtful AllowGroups=root
	doubtful AllowDomains+=x.test "AllowDomains= is set, but Network=none does not ask it: 'clsecure set setapp Network=filtered' does"
	doubtful AllowDomains=
	doubtful AllowGroups=setghosts "AllowGroups= is set, but there is no group 'setghosts'"
	doubtful Shell=/bin/sh
	doubtful Shell=/bin/setsh "Shell= is set, but '/bin/setsh' is no program that is there inside"
	doubtful Shell=/usr "Shell= is set, but '/usr' is no program that is there inside"
	# of the host alone; of the project; of a bind, where it is inside
	install -m 755 /bin/bash /srv/setsh
	doubtful Shell=/srv/setsh "Shell= is set, but '/srv/setsh' is no program that is there inside"
	as_person seta sh -c 'cp /bin/bash set/sh; cp /bin/bash ro/sh'
	doubtful Shell=/home/seta/set/sh
	as_person seta clsecure set setapp BindReadOnly=/home/seta/ro:/mnt/ro
	doubtful Shell=/mnt/ro/sh
	doubtful Shell=/mnt/ro/none "Shell= is set, but '/mnt/ro/none' is no program that is there inside"
	# the worker's own, which nobody can tell
	doubtful Shell=/home/claude-worker-setapp/sh
	# and what it says is true
	run as_person seta clsecure set setapp Shell=/bin/setsh
	run -127 as_person seta clsecure shell setapp true
	as_person seta clsecure set setapp Shell=/mnt/ro/sh
	as_person seta clsecure shell setapp true
	as_person seta clsecure remove --yes setapp
	run --separate-stderr project AllowUsers=setghost
	assert_status 0
	[ "$stderr" = "clsecure: AllowUsers= is set, but there is no user 'setghost'" ]
	rm -f /srv/setsh /home/seta/set/sh /home/seta/ro/sh
}

@test "what cannot be bound is refused by set, and nothing is changed" {
	project
	run as_person seta clsecure set setapp BindReadOnly=/home/seta/none
	assert_status 2
	assert_has "BindReadOnly=: open '/home/seta/none': No such file or directory"
	run as_person seta clsecure info setapp
	refute_has /home/seta/none
}

# Every way in which who works inside can spoil the project's file.
spoil() {
	local how=$1
	inside sh -c "cd ~/setapp && rm -rf .clsecure && mkdir .clsecure && cd .clsecure && $how"
	eventually 5 gone
}

@test "a project's file that was spoilt inside closes the project, says why and what mends it" {
	local how reason
	project
	while IFS='|' read -r how reason; do
		spoil "$how"
		run inside true
		assert_status 125
		assert_match "/home/seta/set/.clsecure/config.*$reason.*: mv .clsecure .clsecure.bad"
		run su - claude-worker-setapp -c true
		[ "$status" -ne 0 ]
		assert_has "mv .clsecure .clsecure.bad"
		as_person seta sh -c 'cd set && mv .clsecure .clsecure.bad'
		run inside true
		assert_status 0
		chmod -R u+rwX /home/seta/set/.clsecure.bad
		rm -r /home/seta/set/.clsecure.bad
	done <<-'EOF'
		echo nonsense >config|:1:
		printf "[Network]\nNetwork=nono\n" >config|:2: Network= is none of
		mkfifo config|is not a regular file
		mkdir config|is not a regular file
		ln -s /etc/passwd config|link
		ln -s config config|link
		head -c 40000 /dev/zero >config|File too large
		echo >config; chmod 0 config|Permission denied
		echo >config; chmod 0 .|Permission denied
		cd ..; rmdir .clsecure; ln -s /etc .clsecure|link
	EOF
}

@test "a spoilt file of the project does not keep its owner from ending it" {
	project
	hold
	as_person seta sh -c 'mkdir -p set/.clsecure; echo nonsense >set/.clsecure/config'
	run as_person seta clsecure list
	assert_has setapp
	as_person seta clsecure set setapp MaxSessions=7
	as_person seta clsecure kill setapp
	wait "$held" || :
	as_person seta clsecure remove --yes setapp
}

@test "a damaged project.conf: nobody enters, and root can remove the project" {
	project
	echo nonsense >/var/lib/clsecure/projects/setapp/project.conf
	run inside true
	assert_status 125
	assert_has 'setapp/project.conf:1'
	run su - claude-worker-setapp -c true
	[ "$status" -ne 0 ]
	run as_person seta clsecure remove --yes setapp
	assert_status 1
	run clsecure remove --yes setapp
	assert_status 0
	run getent passwd claude-worker-setapp
	[ "$status" -ne 0 ]
}
