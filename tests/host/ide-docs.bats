# What docs/ide.md says, run as it stands there. What IDEs do by these commands is in ide.bats and code-server.bats.
load lib

DOC=/usr/src/clsecure/docs/ide.md
W=claude-worker-app

setup_file() {
	make_person idoa
	make_project idoa src/app >/dev/null
	printf 'all:\n\t@echo made in $(CURDIR)\n' >/home/idoa/src/app/Makefile
	as_person idoa sh -c 'umask 077; ssh-keyscan -t ed25519 localhost >.ssh/known_hosts 2>/dev/null; mkdir bin DIR; echo f >FILE; echo g >DIR/g'
}

teardown_file() {
	as_person idoa clsecure remove --yes app
}

# do_it COMMAND: it stands in the docs; by that person's shell, HOST being this one and you that person.
do_it() {
	grep -qxF "    $1" $DOC || fail "docs/ide.md does not say: $1"
	local command=${1//HOST/localhost}
	as_person idoa env PATH=/home/idoa/bin:/usr/bin:/bin SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force \
		TERM="${TERM:-dumb}" sh -c "cd '${2:-/home/idoa}' && ${command//you/idoa}"
}

@test "every command of docs/ide.md is one that is run here" {
	run sed -n 's/^    //p' $DOC
	while read -r line; do
		grep -qF "do_it '$line'" "$BATS_TEST_FILENAME" || fail "not run: $line"
	done <<<"$output"
	assert_equal "${#lines[@]}" 14
}

@test "add, and the blocks made here and by ssh: each lets ssh in without a question" {
	run do_it 'clsecure add --name app Linger=10min' /home/idoa/src/app
	assert_status 0
	do_it 'ssh HOST clsecure ssh-config --host HOST app >>~/.ssh/config'
	run do_it 'ssh app' </dev/null
	assert_status 0
	rm /home/idoa/.ssh/config
	do_it 'clsecure ssh-config app >>~/.ssh/config'
	chmod 600 /home/idoa/.ssh/config
	run do_it 'ssh app' <<<'id -un; pwd; readlink app'
	assert_status 0
	assert_has $W$'\n'/home/$W$'\n'/home/idoa/src/app
}

@test "without KnownHostsCommand, its words in known_hosts do the same" {
	as_person idoa sh -ec 'cp .ssh/config saved; cp .ssh/known_hosts saved-hosts
		sed -n "s/.*KnownHostsCommand.*\"\(.*\)\".*/\1/p" .ssh/config >>.ssh/known_hosts
		sed -i /KnownHostsCommand/d .ssh/config'
	run do_it 'ssh app' <<<'id -un'
	as_person idoa sh -c 'mv saved-hosts .ssh/known_hosts'
	assert_has $W
	run do_it 'ssh app' <<<'id -un'
	[ "$status" -ne 0 ]
	as_person idoa sh -c 'mv saved .ssh/config'
}

# VS Code is not to be had here: what the name leads to is, by what it runs first.
@test "code --remote ssh-remote+app: the name is one of ssh's, and the path is there" {
	printf '#!/bin/sh\n[ "$1" = --remote ] && exec ssh -T "${2#ssh-remote+}" bash -s - "$3"\n' >/home/idoa/bin/code
	chmod 755 /home/idoa/bin/code
	run do_it 'code --remote ssh-remote+app /home/you/src/app' <<<'id -un; ls -d "$1"'
	assert_status 0
	assert_has $W$'\n'/home/idoa/src/app
}

@test "the fingerprint is the one of the key that a connection meets" {
	run do_it 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'
	assert_match '256 SHA256:[A-Za-z0-9+/]{43}'
	assert_has "$(ssh-keyscan -t ed25519 localhost 2>/dev/null | ssh-keygen -lf - | cut -d' ' -f2)"
}

@test "commands, scp, rsync and a port" {
	run do_it 'ssh app make -C app'
	assert_has "made in /home/idoa/src/app"
	do_it 'scp FILE app:app/'
	do_it 'rsync -a DIR/ app:app/DIR/'
	assert_equal "$(cat /home/idoa/src/app/FILE /home/idoa/src/app/DIR/g)" $'f\ng'
	do_it 'ssh app' <<<'nohup python3 -m http.server -d app --bind 127.0.0.1 3000 >/dev/null 2>&1 </dev/null &'
	do_it 'ssh -N -L 3000:localhost:3000 app' </dev/null >/dev/null 2>&1 3>&- &
	eventually 15 curl -sf -o /dev/null http://localhost:3000/FILE
	run curl -sf http://localhost:3000/FILE
	assert_output f
	as_person idoa clsecure kill app
	wait $! || :
}

@test ".idea is read-only inside until it is taken out of ProtectPaths" {
	as_person idoa mkdir src/app/.idea
	run as_person idoa ssh app 'touch app/.idea/workspace.xml'
	assert_has 'Read-only file system'
	do_it 'clsecure set app ProtectPaths-=.idea'
	as_person idoa clsecure kill app
	run as_person idoa ssh app 'touch app/.idea/workspace.xml && touch app/.git/hooks/x'
	assert_has hooks
	[ -e /home/idoa/src/app/.idea/workspace.xml ]
}

@test "PATH, ~/.bashrc and SetEnv of a command by ssh" {
	do_it 'clsecure set app SetEnv+=EDITOR=vim'
	as_person idoa clsecure kill app
	as_person idoa ssh app 'echo "FROM_BASHRC=yes" >.bashrc'
	as_person idoa ssh app 'mkdir -p .local/bin; ln -s /bin/true .local/bin/mine'
	as_person idoa ssh app mine
	run as_person idoa ssh app 'echo $PATH $FROM_BASHRC $EDITOR'
	assert_match "^/home/$W/\.local/bin:.*/usr/bin.* yes vim$"
}

@test "tmux: with a terminal that the host does not know too" {
	as_person idoa ssh app true
	# typed TERM COMMAND...: on a terminal, where after two seconds tmux is told to detach.
	typed() {
		export -f do_it as_person fail
		(sleep 2; printf '\002d'; sleep 1) | DOC=$DOC TERM=$1 SHELL=/bin/bash timeout 20 \
			script -qefc "$(printf '%q ' "${@:2}")" /dev/null
	}
	run typed xterm do_it 'ssh -t app tmux new -A -s main'
	assert_has 'detached (from session main)'
	run as_person idoa ssh app tmux ls
	assert_has main:
	run typed xterm-nosuch do_it 'ssh -t app tmux new -A -s main'
	assert_has 'unsuitable terminal: xterm-nosuch'
	run typed xterm-nosuch do_it 'ssh -t -o SetEnv=TERM=xterm-256color app tmux new -A -s main'
	assert_has 'detached (from session main)'
}
