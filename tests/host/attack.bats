# What a worker, and another person, may try against the wall: all of it must fail, and nothing may hang.
# also: vm
load lib

setup_file() {
	make_person eve
	make_person mal
	make_project eve trap >/dev/null
	make_project mal mine >/dev/null
	as_person eve sh -c 'cd trap; mkdir -p .claude .vscode .husky .helix .cursor .git/modules/a/hooks; echo {} >.claude/settings.json
		touch .helix/languages.toml .cursor/mcp.json
		echo {} >.vscode/tasks.json; touch .envrc'
	as_person eve clsecure add /home/eve/trap --name trap
	as_person mal clsecure add /home/mal/mine --name mine
	gcc -o /home/eve/trap/attack "$BATS_TEST_DIRNAME/attack.c"
	chmod 755 /home/eve/trap/attack
}

teardown_file() {
	as_person eve clsecure remove --yes trap
	as_person mal clsecure remove --yes mine
}

inside() {
	as_person eve timeout 20 clsecure exec trap "$@" </dev/null
}

mal() {
	as_person mal timeout 20 clsecure "$@" </dev/null
}

# assert_failed: attack.c tried its table, and nothing was possible.
assert_failed() {
	assert_has $'\nend'
	[ "$(grep -c '^refused ' <<<"$output")" -gt 100 ] || fail "not all was tried: $output"
	[[ $output != *POSSIBLE* ]] || fail "$(grep POSSIBLE <<<"$output")"
}

attack='cd /home/eve/trap && ./attack'

@test "the table of attempts is one: a plain user outside has success with some" {
	cp /home/eve/trap/attack /tmp/attack-plain
	run as_person mal /tmp/attack-plain
	rm /tmp/attack-plain
	assert_has 'POSSIBLE chmod 04755'
	assert_has 'POSSIBLE rename leaving a whiteout'
	assert_has 'POSSIBLE keyctl session'
	assert_has 'POSSIBLE lease'
}

@test "by clsecure exec" {
	run inside sh -c "$attack"
	assert_failed
}

@test "by ssh" {
	run ssh_as eve claude-worker-trap@localhost "$attack"
	assert_failed
}

@test "by su, with a directory of the host's on descriptor 7" {
	run su - claude-worker-trap -c "$attack" 7</ </dev/null
	assert_failed
}

@test "nothing of it is on the owner's disk" {
	run find /home/eve/trap \( -perm /4000 -o -type c -o -type b \)
	assert_output ''
}

@test "a directory on 0 is no way out" {
	run su - claude-worker-trap -c 'ls /proc/self/fd/0/' </
	[ "$status" -ne 0 ]
	refute_has lost
	run runuser -u claude-worker-trap -- ls /proc/self/fd/0/ </
	[ "$status" -ne 0 ]
	assert_has 'is a directory'
	run as_person eve clsecure exec trap ls /proc/self/fd/0/ </
	[ "$status" -ne 0 ]
	assert_has 'directory'
}

@test "what is no stream at all does not go in on 0" {
	# an epoll instance, as a ring of io_uring, has no kind
	run timeout 20 python3 -c '
import select, subprocess, sys
e = select.epoll()
sys.exit(subprocess.run(["su", "claude-worker-trap", "-c", "echo lost"], stdin=e).returncode)'
	[ "$status" -ne 0 ]
	refute_has lost
	assert_has 'of a kind that does not go into a sandbox'
}

# A socket is of the namespace that it was made in: connected anew, it would reach the host's loopback.
@test "a socket of the host's network on 0 is no way out" {
	local run
	cat >/home/eve/trap/anew.py <<'END'
import ctypes, socket
s = socket.socket(fileno=0)
ctypes.CDLL(None).connect(0, bytes(16), 16)
if s.family == socket.AF_UNIX: s.sendto(b"lost", "\0attack-host")
else: s.connect(("127.0.0.1", 7977)); print(s.recv(9).decode())
END
	cat >/run/attack-socket.py <<'END'
import os, socket, subprocess, sys
host = socket.create_server(("127.0.0.1", 7977))
named = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); named.bind("\0attack-host"); named.settimeout(0.1)
if sys.argv[1] == "unix": given = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
else: given = socket.create_connection(("127.0.0.1", 7977)); first = host.accept()[0]; first.send(b"in\n"); first.shutdown(1)
subprocess.Popen(sys.argv[2:], stdin=given)
host.settimeout(4)
try: host.accept()[0].send(b"lost\n")
except TimeoutError: pass
try: print(named.recv(9).decode())
except TimeoutError: print("nothing")
END
	run='python3 /home/eve/trap/anew.py'
	for kind in inet unix; do
		run timeout 20 python3 /run/attack-socket.py $kind runuser -u claude-worker-trap -- $run
		refute_has lost
		assert_has 'put a pipe between'
		run as_person eve timeout 20 python3 /run/attack-socket.py $kind su claude-worker-trap -c "$run"
		refute_has lost
		assert_has 'put a pipe between'
		run as_person eve timeout 20 python3 /run/attack-socket.py $kind clsecure exec trap $run
		refute_has lost
	done
	run as_person eve timeout 20 python3 /run/attack-socket.py inet clsecure exec trap sed 's/^/got /'
	assert_has 'got in'
	run as_person eve python3 -c '
import os, socket, struct
s = socket.socket(socket.AF_UNIX); s.connect("/run/clsecure/clsecured.sock")
m = b"op=open\0project=trap\0word=true\0"; given = socket.socket()
socket.send_fds(s, [struct.pack("=I", len(m)) + m], [given.fileno()] * 3)
while d := s.recv(9999): print(d.replace(b"\0", b" ").decode(errors="replace"))'
	assert_has "a socket of the host's network"
	rm /home/eve/trap/anew.py /run/attack-socket.py
}

@test "what the worker does is nobody else's in the audit log" {
	[ "$(cat /proc/self/loginuid)" = 4294967295 ] || skip 'no audit in this kernel, or the test itself is a login'
	run runuser -u claude-worker-trap -- sh -c 'cat /proc/self/loginuid; echo; (echo 0 >/proc/self/loginuid) 2>/dev/null
		cat /proc/self/loginuid'
	assert_output "$(id -u claude-worker-trap)
$(id -u claude-worker-trap)"
	assert_equal "$(cat /proc/self/loginuid)" 4294967295
	run inside cat /proc/self/loginuid
	assert_output "$(id -u claude-worker-trap)"
}

@test "what is protected is so by any name of its parents" {
	run inside sh -c 'cd /home/eve/trap
		for d in .git .git/hooks .git/modules .git/modules/a .claude .claude/settings.json .vscode .husky .envrc .helix .cursor; do
			mv "$d" moved 2>/dev/null && echo "moved $d"
		done
		for f in .git/hooks/x .git/modules/a/hooks/x .claude/settings.json .vscode/tasks.json .husky/x .envrc .helix/languages.toml \
			.cursor/mcp.json; do
			(echo x >"$f") 2>/dev/null && echo "wrote $f"
		done
		rm -f .claude/settings.json .envrc 2>/dev/null && echo removed
		ln .envrc two 2>/dev/null && echo linked
		(cd .. && mv trap trap2) 2>/dev/null && echo "moved the project"
		echo end'
	assert_output end
}

# settle: no sandbox of trap runs, so that the next login builds one.
settle() {
	eventually 5 sh -c '! pgrep -xf "clsecure-keeper trap"'
}

@test "a hard link made before a file was protected writes it no more, and is told where it is out of sight" {
	# A worker's trap: two names, one of which the person's git will run.
	inside sh -c 'cd /home/eve/trap && mkdir -p deep/er && echo "echo good" >deep/er/other && chmod +x deep/er/other &&
		ln deep/er/other .githooks 2>/dev/null; mkdir -p .idea && ln deep/er/other .idea/run'
	settle
	run inside sh -c 'cd /home/eve/trap; (echo evil >>deep/er/other) 2>&1; mv deep/er/other moved 2>&1; mv deep deep2 2>&1
		rm -f deep/er/other; echo end'
	assert_has end
	assert_equal "$(cat /home/eve/trap/.idea/run)" 'echo good'
	settle
	as_person eve clsecure list >/dev/null # which prints what was found until now
	as_person eve sh -c 'mkdir -p elsewhere && mv trap/deep/er/other elsewhere/'
	run inside true
	settle
	output+=$(as_person eve clsecure list 2>&1)
	assert_has 'another name (a hard link)'
	as_person eve rm -rf trap/.idea trap/.githooks trap/deep elsewhere
}

@test "links in the home lead nobody, variables for the loader stay inside" {
	inside sh -c 'cd && rm -rf .claude.json trap && ln -s /etc/shadow .claude.json && ln -s / trap
		mkdir -p .ssh && echo "touch /tmp/rc" >.ssh/rc && echo "LD_PRELOAD=/nowhere" >.ssh/environment'
	before=$(stat -c '%a %s %Y' /etc/shadow)
	run ssh_as eve claude-worker-trap@localhost 'ls -A /tmp; echo "preload=$LD_PRELOAD"; cat ~/.claude.json'
	assert_has $'preload=\n'
	refute_has root:
	refute_has rc
	assert_equal "$(stat -c '%a %s %Y' /etc/shadow)" "$before"
	inside sh -c 'cd && rm -rf .claude.json .ssh trap'
}

@test "a FIFO for what a shell or Claude reads hangs no login of root's making" {
	inside sh -c 'cd && rm -f .claude.json && mkfifo .claude.json .hushlogin .Xauthority'
	run timeout 8 su - claude-worker-trap -c 'echo in' </dev/null
	assert_output in
	run inside echo in
	assert_output in
	inside sh -c 'cd && rm -f .claude.json .hushlogin .Xauthority'
}

@test "a FIFO for what sshd reads as root in the home: none can be put there, and an old one goes" {
	local home=/var/lib/clsecure/projects/trap/home
	gone() { ! pgrep -u claude-worker-trap >/dev/null && ! pgrep -x clsecure-keeper >/dev/null; }
	run inside sh -c 'cd; rm -f .pam_environment; mv .pam_environment x; mkfifo .pam_environment; ln -sf /tmp/x .pam_environment; echo A=b >.pam_environment'
	[ -f "$home/.pam_environment" ] && [ ! -s "$home/.pam_environment" ]
	eventually 10 gone
	rm -f "$home/.pam_environment"
	mkfifo "$home/.pam_environment"
	run timeout 15 bash -c 'source "$1/lib.bash"; ssh_as eve claude-worker-trap@localhost "echo in"' - "$BATS_TEST_DIRNAME"
	assert_output in
	[ ! -p "$home/.pam_environment" ]
	nobody_waits() { ! pgrep -f '^sshd: claude-worker-trap'; }
	eventually 10 nobody_waits
}

@test "another person has no way in, and none round" {
	local words
	for words in 'exec trap id' 'shell trap' 'kill trap' 'remove --yes trap' 'info trap' 'set trap Network=full' \
		'add --yes /home/eve/trap --name t2' 'add --yes /home/eve --name t3'; do
		run mal $words
		[ "$status" -ne 0 ] || fail "clsecure $words: $output"
		assert_match 'is not yours|belongs to|does not belong'
	done
	ln -s /home/eve/trap /home/mal/link
	run mal add --yes /home/mal/link --name t4
	[ "$status" -ne 0 ]
	run mal list --json
	refute_has '"t'
}

@test "what a person binds is opened as that person" {
	echo secret >/home/eve/trap/secret
	chmod 600 /home/eve/trap/secret
	chmod 700 /home/eve/.ssh
	# what was hers when it was said, and is another's when a session opens
	as_person mal mkdir -p bound/.ssh
	mal set mine BindReadOnly=/home/mal/bound/.ssh
	as_person mal sh -c 'rm -r bound; ln -s /home/eve bound'
	run mal exec mine ls /home/mal/bound/.ssh
	[ "$status" -ne 0 ]
	refute_has id_ed25519
	as_person mal sh -c 'rm bound; mkdir bound'
	chmod 755 /home/eve
	mal set mine BindReadOnly= Bind=/home/mal/bound
	as_person mal sh -c 'rmdir bound; ln -s /home/eve/trap bound'
	run mal exec mine sh -c 'touch /home/mal/bound/planted; cat /home/mal/bound/secret'
	[ "$status" -ne 0 ]
	refute_has secret$'\n'
	[ ! -e /home/eve/trap/planted ]
	mal set mine Bind=
	as_person mal rm bound
	local setting
	for setting in Bind=/etc Bind=/var Bind=/home/mal/mine:/usr/bin Bind=/run/clsecure RootDirectory=/home/mal/mine \
		AllowNesting=yes Mode=user AllowForeignAbi=yes; do
		run mal set mine "$setting"
		[ "$status" -ne 0 ] || fail "$setting"
	done
}

@test "a project that became a link to another's is refused" {
	as_person mal sh -c 'mv mine mine.old && ln -s /home/eve/trap mine'
	run mal exec mine sh -c 'touch /home/mal/mine/planted'
	[ "$status" -ne 0 ]
	as_person mal sh -c 'rm mine && mv mine.old mine'
	[ ! -e /home/eve/trap/planted ]
}

@test ".clsecure/config that is a FIFO, huge or a link is refused at once; it cannot loosen" {
	local kind
	as_person mal mkdir mine/.clsecure
	for kind in 'mkfifo c' 'truncate -s 30M c' 'ln -s /etc/shadow c' 'ln -s /dev/zero c'; do
		as_person mal sh -c "cd mine/.clsecure && rm -f config c && $kind && mv c config"
		run timeout 5 su - claude-worker-mine -c 'echo in' </dev/null
		[ "$status" -ne 0 ] && [ "$status" -ne 124 ] || fail "$kind: $status: $output"
		refute_has root:
	done
	as_person mal sh -c 'cd mine/.clsecure && rm config && printf "[Network]\nNetwork=full\n[Files]\nProtectPaths=\n
Bind=/home/mal/.ssh\n[Project]\nMode=user\n[Syscalls]\nAllowNesting=yes\n" >config'
	run mal exec mine sh -c 'ls -A /home/mal; grep -c : /proc/net/dev; unshare -Ur true; touch ~/mine/.git/hooks/x; echo end'
	refute_has .ssh
	[ ! -e /home/mal/mine/.git/hooks/x ]
	as_person mal rm -r mine/.clsecure
}

@test "a caller that is stopped and killed holds nothing up" {
	local stopped
	as_person mal clsecure exec mine sleep 765 </dev/null 3>&- &
	stopped=$!
	eventually 5 pgrep -u claude-worker-mine -x sleep
	pkill -STOP -u mal -x clsecure
	run mal exec mine echo second
	assert_output second
	pkill -KILL -u mal -x clsecure
	wait "$stopped" || :
	eventually 5 sh -c '! pgrep -u claude-worker-mine'
}
