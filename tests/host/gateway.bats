# ssh claude@host [-t] PROJECT [COMMAND], and ssh-config.
load lib

setup_file() {
	make_person gateann
	make_person gatebob
	make_project gateann gateapp
	as_person gateann clsecure add gateapp
}

teardown_file() {
	clsecure remove --yes gateapp
}

gate() { ssh_as gateann claude@localhost "$@"; }

@test "without a project: those that the key may enter" {
	run gate
	assert_status 0
	assert_has gateapp
	run ssh_as gatebob claude@localhost
	[ "$status" -ne 0 ]
	refute_has gateapp
}

@test "a command: three streams and the exit status" {
	run gate gateapp 'id -un; pwd; exit 7'
	assert_status 7
	assert_has claude-worker-gateapp
	assert_has /home/gateann/gateapp
	[ "$(echo hello | gate gateapp cat)" = hello ]
	[ "$(gate gateapp 'echo no >&2; echo yes' 2>/dev/null)" = yes ]
}

@test "the command is one argument, quotes and newlines and all" {
	run gate gateapp "printf '%s|' \"a  b\" 'c\"d'
printf '%s' second"
	assert_status 0
	assert_output 'a  b|c"d|second'
}

@test "with -t: a terminal of the sandbox, and its exit status" {
	run on_pty ssh_as gateann -tt claude@localhost gateapp 'tty; test -t 0 && echo terminal; exit 5'
	assert_status 5
	assert_has /dev/pts/
	assert_has terminal
}

@test "it is the sandbox" {
	run gate gateapp 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'
	assert_match 'CapEff:.0000000000000000'
	assert_match 'NoNewPrivs:.1'
	assert_match 'Seccomp:.2'
}

@test "forwards, sftp, agent, SetEnv are refused or without effect" {
	run as_person gateann timeout 20 ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o ExitOnForwardFailure=yes -N -R 34567:localhost:22 claude@localhost
	assert_status 255
	run gate -s sftp
	[ "$status" -ne 0 ]
	run gate -o SetEnv=CLSECURE_EVIL=1 gateapp 'env'
	refute_has CLSECURE_EVIL
	run gate -A gateapp 'env'
	refute_has SSH_AUTH_SOCK
}

@test "the person's language comes along, and nothing else that the client sends" {
	run gate -o SetEnv='LANG=C.UTF-8 LC_TIME=C COLORTERM=truecolor TZ=Asia/Tokyo ANTHROPIC_API_KEY=evil LD_PRELOAD=/evil.so' \
		gateapp env
	assert_status 0
	assert_has LANG=C.UTF-8
	assert_has LC_TIME=C
	assert_has COLORTERM=truecolor
	refute_has Tokyo
	refute_has evil
}

@test "a project that is not there, or another's, or no name: refused, 125" {
	run gate nosuch true
	assert_status 125
	run gate '../etc' true
	assert_status 125
	run ssh_as gatebob claude@localhost gateapp true
	[ "$status" -ne 0 ]
}

@test "a ticket is good once" {
	read -r type key _ </home/gateann/.ssh/id_ed25519.pub
	ticket=$(/usr/libexec/clsecure/clsecure-keys claude "$type" "$key" | sed -n 's/.*command="clsecure-gateway \([^"]*\)".*/\1/p' | head -1)
	[ -n "$ticket" ]
	as_gateway() { setpriv --reuid claude --regid claude --clear-groups env SSH_ORIGINAL_COMMAND="$1" /usr/libexec/clsecure/clsecure-gateway -c "clsecure-gateway $2"; }
	run as_gateway 'gateapp echo first' "$ticket"
	assert_output first
	run as_gateway 'gateapp echo second' "$ticket"
	assert_status 125
	refute_has second
	run as_gateway 'gateapp true' "${ticket/1./1.9}"
	assert_status 125
	run as_gateway 'gateapp true' "1.9999999999.00.00.00"
	assert_status 125
}

@test "another door of 'claude' is shut, and the shell alone opens nothing" {
	run su - claude -c true
	[ "$status" -ne 0 ]
	run runuser -u claude -- id
	refute_has 'uid='
	run setpriv --reuid claude --regid claude --clear-groups /usr/libexec/clsecure/clsecure-gateway
	assert_status 125
	run setpriv --reuid claude --regid claude --clear-groups /usr/libexec/clsecure/clsecure-gateway -c 'sh -c id'
	assert_status 125
}

@test "a person who says to be the gateway is only that person" {
	run as_person gatebob /usr/libexec/clsecure/clsecure-gateway -c 'clsecure-gateway 1.2.3.4.5'
	refute_has gateapp
	run as_person gatebob env SSH_ORIGINAL_COMMAND='gateapp id -un' /usr/libexec/clsecure/clsecure-gateway -c 'clsecure-gateway 1.2.3.4.5'
	assert_status 125
	refute_has claude-worker
}

@test "ssh-config: ssh PROJECT works without a question" {
	as_person gateann sh -c 'clsecure ssh-config >.ssh/config'
	run cat /home/gateann/.ssh/config
	assert_has 'Host gateapp'
	assert_has 'ForwardAgent no'
	run as_person gateann ssh -o BatchMode=yes gateapp id -un
	assert_output claude-worker-gateapp
	sed -i 's/\(KnownHostsCommand.*AAAA\)./\1X/' /home/gateann/.ssh/config
	run as_person gateann ssh -o BatchMode=yes gateapp id -un
	[ "$status" -ne 0 ]
	rm /home/gateann/.ssh/config
	run as_person gateann clsecure ssh-config nosuch
	assert_status 1
	run as_person gateann clsecure ssh-config --host 'a b'
	assert_status 2
}

@test "used tickets are kept where no project's state is" {
	make_project gateann tickets
	as_person gateann clsecure add tickets
	as_person gateann clsecure exec tickets sleep 20 </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 test -e /run/clsecure/tickets/keeper.sock
	touch -d '-1 day' /run/clsecure/tickets/*
	run gate tickets true
	assert_status 0
	[ -e /run/clsecure/tickets/lock ]
	[ -e /run/clsecure/tickets/keeper.sock ]
	run find /run/clsecure/.tickets -type f -size 0
	assert_match '/[0-9a-f]{32}'
	clsecure remove --yes tickets
}
