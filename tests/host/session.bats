# What a session starts with, by the settings of [Session]: the environment, the shell, the toolchains.
load lib

setup_file() {
	make_person ses
	make_project ses app >/dev/null
	as_person ses sh -c 'mkdir -p .cargo/bin .nvm/versions/node/v20.1.0/bin
		printf "#!/bin/sh\necho a tool of the owner\n" | tee .cargo/bin/owntool >.nvm/versions/node/v20.1.0/bin/nodetool
		chmod 755 .cargo/bin/owntool .nvm/versions/node/v20.1.0/bin/nodetool
		echo token >.cargo/credentials.toml'
}

teardown() {
	[ ! -e /var/lib/clsecure/projects/sesapp ] || as_person ses clsecure remove --yes sesapp
}

project() { as_person ses clsecure add /home/ses/app --name sesapp "$@"; }
inside() { as_person ses clsecure exec sesapp "$@"; }

# said COMMAND...: as bats' run, which does not like a 127.
said() {
	status=0
	output=$("$@" 2>&1 </dev/null) || status=$?
}

# by_doors SCRIPT: its output at each door, a line each when they agree.
by_doors() {
	{
		inside sh -c "$1"
		as_person ses clsecure shell sesapp "$1"
		su claude-worker-sesapp -c "$1"
		su - claude-worker-sesapp -c "$1"
		runuser -l claude-worker-sesapp -c "$1"
		ssh_as ses claude-worker-sesapp@localhost "$1"
		ssh_as ses claude@localhost sesapp "$1"
	} </dev/null | tr -d '\r' | sort | uniq -c | sed 's/^ *//'
}

@test "SetEnv: every session has it, whatever the door, also PATH in login shells" {
	project SetEnv='ONE=1 "TWO=2 words" PATH=/x:/usr/bin:/bin "THREE=$HOME;`id`"'
	run by_doors 'echo "$ONE:$TWO:$PATH:$THREE"'
	assert_output '7 1:2 words:/x:/usr/bin:/bin:$HOME;`id`'
	as_person ses clsecure set sesapp SetEnv='ONE=first ONE=last'
	as_person ses clsecure kill sesapp
	run by_doors 'echo "$ONE:$TWO"'
	assert_output '7 last:'
	# what is clsecure's own stays so
	as_person ses clsecure set sesapp SetEnv='HOME=/x USER=root LD_PRELOAD=/x.so'
	as_person ses clsecure kill sesapp
	run inside sh -c 'echo $CLSECURE_PROJECT $USER'
	assert_has sesapp
}

@test "PassEnv: what it names passes by clsecure, and nothing else" {
	local -a given=(PASS_A=a PASS_=e PASSED=no ONE=1 ANTHROPIC_API_KEY=key LD_LIBRARY_PATH=/x BASH_ENV=/x)
	project PassEnv='PASS_* ONE'
	run as_person ses env "${given[@]}" clsecure exec sesapp env
	assert_has PASS_A=a
	assert_has PASS_=e
	assert_has ONE=1
	refute_has PASSED
	refute_has ANTHROPIC
	refute_has LD_LIBRARY_PATH
	refute_has BASH_ENV
	# su without - keeps its caller's, and it is sieved likewise; no other door has any
	run env "${given[@]}" su claude-worker-sesapp -c env
	assert_has PASS_A=a
	refute_has PASSED
	refute_has ANTHROPIC
	refute_has LD_LIBRARY_PATH
	refute_has BASH_ENV
	run env "${given[@]}" su - claude-worker-sesapp -c env
	refute_has PASS_A
	run as_person ses env ONE=1 ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o SendEnv=ONE claude-worker-sesapp@localhost env
	refute_has ONE=1
	# the default: what Claude needs
	as_person ses clsecure set sesapp PassEnv=
	as_person ses clsecure kill sesapp
	run as_person ses env "${given[@]}" clsecure exec sesapp env
	assert_has ANTHROPIC_API_KEY=key
	refute_has ONE=1
}

@test "Shell: it is the shell of every session; one that is not there is said" {
	project Shell=/bin/dash
	run by_doors 'echo $SHELL; readlink /proc/$$/exe'
	# exec runs the sh that it was told
	assert_output '7 /bin/dash
7 /usr/bin/dash'
	as_person ses clsecure set sesapp Shell=/no/such
	as_person ses clsecure kill sesapp
	said inside true # no shell reads what exec was given, nor is one needed for it
	assert_status 0
	said as_person ses clsecure shell sesapp true
	assert_status 127
	assert_has '/no/such: No such file'
	as_person ses clsecure set sesapp Shell=/usr/bin/python3
	as_person ses clsecure kill sesapp
	run inside sh -c 'echo "$1" $SHELL' - 'a  b'
	assert_output 'a  b /usr/bin/python3'
	as_person ses clsecure set sesapp Shell=/no/such
	as_person ses clsecure kill sesapp
	said su - claude-worker-sesapp -c true
	assert_status 127
	# and it counts from the next sandbox on: set says so
	as_person ses clsecure set sesapp Linger=1h Shell=
	inside true
	run as_person ses clsecure set sesapp Shell=/bin/dash
	assert_has 'What was said of Shell counts from the next sandbox'
	run inside sh -c 'echo $SHELL'
	assert_output /bin/bash
}

@test "Command: what clsecure runs, with the words behind it; at once" {
	project Command='printf "<%s>" "$A" fixed' SetEnv=A=set Linger=1h
	run as_person ses env -C /home/ses/app clsecure -q -- more 'two words' </dev/null
	assert_output '<set><fixed><more><two words>'
	run as_person ses clsecure set sesapp Command='sh -c "exit 7"'
	assert_output ''
	run as_person ses env -C /home/ses/app clsecure -q </dev/null
	assert_status 7
	as_person ses clsecure set sesapp Command=/no/such
	said as_person ses env -C /home/ses/app clsecure -q </dev/null
	assert_status 127
}

@test "Claude Code as the owner has it, with its flag and the words behind; for a Shell of any kind" {
	project Shell=/usr/bin/python3
	said as_person ses env -C /home/ses/app clsecure -q </dev/null
	assert_status 127
	assert_has 'Claude Code was not found'
	as_person ses sh -ec 'mkdir -p .local/bin .local/share/claude/versions
		printf "%s\n" "#!/bin/sh" "printf \"<%s>\" \"\$@\"" >.local/share/claude/versions/1.0.0
		chmod 755 .local/share/claude/versions/1.0.0
		ln -s ../share/claude/versions/1.0.0 .local/bin/claude'
	as_person ses clsecure kill sesapp
	run as_person ses env -C /home/ses/app clsecure -q -- more 'two words' </dev/null
	as_person ses rm -r .local
	assert_output '<--dangerously-skip-permissions><more><two words>'
}

@test "Toolchains: in PATH at every door and read-only, without credentials; none: nothing of them" {
	project
	run by_doors 'owntool; nodetool'
	assert_output '14 a tool of the owner'
	run inside sh -c 'echo x >>/home/ses/.cargo/bin/owntool'
	[ "$status" -ne 0 ]
	assert_equal "$(wc -l </home/ses/.cargo/bin/owntool)" 2
	run inside cat /home/ses/.cargo/credentials.toml
	[ "$status" -ne 0 ]
	run su - claude-worker-sesapp -c 'echo $PATH' </dev/null
	assert_match '^/home/claude-worker-sesapp/\.local/bin:/home/ses/.*:/usr/bin:'
	as_person ses clsecure set sesapp Toolchains=none
	as_person ses clsecure kill sesapp
	run by_doors 'command -v owntool nodetool || echo none'
	assert_output '7 none'
	run inside ls -A /home/ses
	assert_output app
}
