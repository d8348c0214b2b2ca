# What IDEs do by the worker's own ssh, with nothing but the blocks that `clsecure ssh-config` prints: the
# bootstraps of VS Code's Remote-SSH and of JetBrains Gateway, a server that outlives its sessions, copies.
load lib

P=ideapp
W=claude-worker-$P

setup_file() {
	make_person idella
	make_project idella ideapp >/dev/null
	as_person idella clsecure add /home/idella/ideapp --name $P Linger=10min
	as_person idella sh -c 'umask 077; clsecure ssh-config '$P' >.ssh/config'
	mkdir -p /home/idella/server/bin
	cp "$BATS_TEST_DIRNAME/ide-server.py" /home/idella/server/bin/code-server
	sed -i '1i #!/usr/bin/env python3' /home/idella/server/bin/code-server
	chmod 755 /home/idella/server/bin/code-server
	as_person idella tar -C server -czf server.tar.gz bin
	# Whatever would be asked is asked here, and noted.
	printf '#!/bin/sh\necho "$*" >>/home/idella/asked\nexit 1\n' >/home/idella/askpass
	chmod 755 /home/idella/askpass
}

teardown() {
	end_connections
	! [ -e /home/idella/asked ] || fail "it was asked: $(cat /home/idella/asked)"
}

teardown_file() {
	as_person idella clsecure remove --yes $P
}

# idella PROGRAM ARGS...: as her IDE runs ssh, without a terminal; a question would go to askpass.
idella() {
	as_person idella env SSH_ASKPASS=/home/idella/askpass SSH_ASKPASS_REQUIRE=force "$@"
}

# connect NAME SSH-ARGS...: a connection that stays, fed with standard input first; its
# output is in $BATS_TEST_TMPDIR/NAME.
connect() {
	local name=$1 fifo=$BATS_TEST_TMPDIR/$1.in
	shift
	mkfifo "$fifo"
	(
		let_go	# of the others' input, or they would not end
		idella ssh "$@" <"$fifo" >"$BATS_TEST_TMPDIR/$name" 2>&1 3>&-
	) &
	connections+=($!)
	exec {held}>"$fifo"
	cat >&$held
	holds+=($held)
}

let_go() {
	local h
	for h in "${holds[@]}"; do exec {h}>&-; done
}

end_connections() {
	let_go
	[ ${#connections[@]} = 0 ] || wait "${connections[@]}" || :
	connections=() holds=()
}

ended() {	# the bootstrap NAME has
	grep -q '^id: end' "$BATS_TEST_TMPDIR/$1"
}

value() {	# KEY of the bootstrap NAME
	sed -n "s/.*\b$1==\([^=]*\)==.*/\1/p" "$BATS_TEST_TMPDIR/$2"
}

# ask_server SOCKET COMMAND: over the person's socket.
ask_server() {
	as_person idella socat -t 10 - "UNIX-CONNECT:$1" <<<"$2"
}

nobody_inside() {
	[ -z "$(as_person idella clsecure sessions $P | tail -n +2)" ]
}

@test "the config alone, without a question: ssh, scp, sftp, rsync; no file of known hosts is written" {
	rm -f /home/idella/.ssh/known_hosts
	run idella ssh $P 'id -un; pwd'
	assert_status 0
	assert_output $W$'\n'/home/$W
	as_person idella sh -c 'echo payload >payload; echo "put payload by-sftp" >batch'
	idella scp -q payload $P:by-scp
	idella sftp -q -b batch $P
	idella rsync payload $P:by-rsync
	run idella ssh $P 'cat by-scp by-sftp by-rsync'
	assert_output $'payload\npayload\npayload'
	[ ! -e /home/idella/.ssh/known_hosts ]
	run idella ssh -G $P
	assert_has "user $W"
	assert_has 'forwardagent no'
}

@test "Remote-SSH: two bootstraps at once make one server; -D and a forwarded unix socket reach it" {
	idella ssh $P mkdir -p .vscode-server
	idella scp -q server.tar.gz $P:.vscode-server/0123456789abcdef.tar.gz
	connect one -T -D 18601 $P bash <"$BATS_TEST_DIRNAME/remote-ssh.sh"
	connect two -T -D 18602 $P bash <"$BATS_TEST_DIRNAME/remote-ssh.sh"
	eventually 20 ended one
	eventually 20 ended two
	assert_equal "$(cat "$BATS_TEST_TMPDIR"/{one,two} | grep -c '^installed')" 1
	assert_equal "$(cat "$BATS_TEST_TMPDIR"/{one,two} | grep -c '^Found running server')" 1
	assert_equal "$(value listeningOn one)" "$(value listeningOn two)"
	assert_equal "$(value platform one) $(value arch one)" "Linux $(uname -m)"
	[[ $(value listeningOn one) == /run/user/*/vscode-server-*.sock ]]
	rm -f /tmp/idella.sock
	connect window -T -o ExitOnForwardFailure=yes -L "/tmp/idella.sock:$(value listeningOn one)" $P cat </dev/null
	eventually 10 test -S /tmp/idella.sock
	run ask_server /tmp/idella.sock 'id -un; tty; echo $SHELL $HOME $XDG_RUNTIME_DIR; readlink ~/ideapp; cat ~/ideapp/README'
	assert_status 0
	assert_match '^server [0-9]+\.[0-9a-f]{8}'
	assert_equal "${lines[1]}" $W
	assert_match '/dev/pts/[0-9]+'
	assert_has "/bin/bash /home/$W /run/user/$(id -u $W)"
	assert_has $'/home/idella/ideapp\nhello'
}

@test "with Linger= the server is there when the IDE comes back, and gone without" {
	local before
	connect first -T -D 18601 $P bash <"$BATS_TEST_DIRNAME/remote-ssh.sh"
	eventually 20 ended first
	before=$(value pid first)
	end_connections
	eventually 10 nobody_inside
	sleep 2
	connect again -T -D 18601 $P bash <"$BATS_TEST_DIRNAME/remote-ssh.sh"
	eventually 20 ended again
	grep -q '^Found running server' "$BATS_TEST_TMPDIR/again"
	assert_equal "$(value pid again)" "$before"
	assert_equal "$(value listeningOn again)" "$(value listeningOn first)"

	as_person idella clsecure set $P Linger=
	end_connections
	eventually 10 test ! -e /run/clsecure/$P/keeper.sock
	# What is left of it in the home (a pid, a log, a lock) does not stand in the way of the next.
	connect anew -T -D 18601 $P bash <"$BATS_TEST_DIRNAME/remote-ssh.sh"
	eventually 20 ended anew
	run cat "$BATS_TEST_TMPDIR/anew"
	refute_has 'Found running server'
	refute_has installed
	assert_has 'listeningOn==/run/user/'
	[ "$(value listeningOn anew)" != "$(value listeningOn first)" ]
	as_person idella clsecure set $P Linger=10min
}

@test "a server on a port of the sandbox: reached through -D and -L, not from the host" {
	local port
	connect keeps -T -D 18603 -L 127.0.0.1:18604:127.0.0.1:18605 $P \
		'nohup .vscode-server/bin/0123456789abcdef/bin/code-server 18605 &>port.log </dev/null &
		until grep listening port.log; do sleep 0.1; done; cat' </dev/null
	eventually 10 grep -q 'listening on 18605' "$BATS_TEST_TMPDIR/keeps"
	run as_person idella socat -t 10 - TCP:127.0.0.1:18604 <<<'id -un'
	assert_equal "${lines[1]}" $W
	run as_person idella socat -t 10 - SOCKS4A:127.0.0.1:localhost:18605,socksport=18603 <<<'id -un'
	assert_equal "${lines[1]}" $W
	run as_person idella socat -t 2 - TCP:127.0.0.1:18605 </dev/null
	assert_has 'Connection refused'
}

# Gateway speaks ssh itself: many channels of one connection; it uploads what it runs by sftp,
# reads the environment from a login shell without a terminal, starts the server and forwards a port.
@test "Gateway: everything in one connection, the server started by a login shell" {
	local mux=(-S /tmp/idella-%C)
	idella ssh -M -N -f "${mux[@]}" $P
	run idella ssh "${mux[@]}" $P 'uname -sm; ldd --version | head -n 1; getconf LONG_BIT; df -Pk "$HOME" | tail -n 1 | wc -l'
	assert_status 0
	assert_equal "${lines[0]}" "Linux $(uname -m)"
	assert_equal "${lines[3]}" 1
	run idella ssh "${mux[@]}" $P 'exec "$SHELL" -l -i -c "echo MARK; env; echo MARK" </dev/null 2>/dev/null'
	assert_has $'MARK\n'
	assert_has "HOME=/home/$W"
	assert_match 'PATH=[^ ]*/usr/bin'
	idella ssh "${mux[@]}" $P 'mkdir -p ~/.cache/JetBrains/RemoteDev/dist/ide/bin ~/.cache/JetBrains/RemoteDev/active'
	as_person idella sh -c 'echo "put server/bin/code-server .cache/JetBrains/RemoteDev/dist/ide/bin/remote-dev-server.sh
chmod 755 .cache/JetBrains/RemoteDev/dist/ide/bin/remote-dev-server.sh" >batch'
	idella sftp -q -o ControlPath=/tmp/idella-%C -b batch $P
	run idella ssh "${mux[@]}" $P 'cd ~/ideapp && (flock -n 9 || exit 6
		setsid nohup ~/.cache/JetBrains/RemoteDev/dist/ide/bin/remote-dev-server.sh 18606 >~/.cache/JetBrains/log 2>&1 </dev/null 9>&- &
		until grep -q listening ~/.cache/JetBrains/log; do sleep 0.1; done) 9>~/.cache/JetBrains/RemoteDev/active/lock'
	assert_status 0
	idella ssh "${mux[@]}" -O forward -L 127.0.0.1:18607:127.0.0.1:18606 $P
	run as_person idella socat -t 10 - TCP:127.0.0.1:18607 <<<'id -un; pwd -P'
	assert_equal "${lines[1]}" $W
	assert_equal "${lines[2]}" /home/idella/ideapp
	idella ssh "${mux[@]}" -O exit $P
}

@test "scp and rsync of a tree: into the project and back, with links, modes and times" {
	as_person idella sh -ec 'rm -rf tree; mkdir -p tree/src/deep; cd tree
		for i in 1 2 3 4 5 6 7 8 9; do echo $i >src/deep/$i; done
		printf "#!/bin/sh\n" >run; chmod 755 run; ln -s src/deep/1 link; touch -d 2001-02-03 src/deep/2
		echo "a name" >"with blank"'
	idella scp -qr tree $P:ideapp/by-scp
	idella rsync -a tree/ $P:ideapp/by-rsync/
	idella rsync -a $P:ideapp/by-rsync/ back/
	run as_person idella sh -c 'cd ideapp && diff -r by-scp ../tree && diff -r by-rsync ../tree && diff -r ../back ../tree &&
		readlink by-rsync/link && stat -c "%a %U" by-rsync/run && date -r by-rsync/src/deep/2 +%F'
	assert_status 0
	assert_output $'src/deep/1\n755 idella\n2001-02-03'
	run idella rsync -ain --delete tree/ $P:ideapp/by-rsync/
	assert_output ''
	as_person idella rm -rf ideapp/by-scp ideapp/by-rsync back tree
}

@test "tmux inside: a session is left and found again, by plain ssh" {
	run on_pty as_person idella env TERM=xterm-256color sh -c '(sleep 2; printf "echo \$((40 + 2)) >kept; exec sleep 1000\n"; sleep 2; printf "\002d") | ssh -tt '$P' tmux new -A -s main'
	eventually 10 nobody_inside
	run idella ssh $P 'tmux ls; cat kept; tmux list-panes -a -F "#{pane_current_command}"'
	assert_has 'main: 1 windows'
	assert_has $'42\nsleep'
	idella ssh $P tmux kill-server
}

@test "Home=ephemeral: what an IDE installs goes with the sandbox" {
	as_person idella clsecure set $P Home=ephemeral Linger=
	as_person idella clsecure kill $P || :
	eventually 10 test ! -e /run/clsecure/$P/keeper.sock
	run idella ssh $P 'ls -d .vscode-server; mkdir .vscode-server && findmnt -n -o FSTYPE -T .'
	assert_has 'No such file'
	assert_has tmpfs
	eventually 10 test ! -e /run/clsecure/$P/keeper.sock
	run idella ssh $P 'ls -d .vscode-server'
	assert_has 'No such file'
	as_person idella clsecure set $P Home= Linger=10min
}
