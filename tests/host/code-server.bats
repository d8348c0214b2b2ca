# code-server in a sandbox, its page in Chromium through the worker's own ssh. code-server is VS Code's server with
# its page: what Remote-SSH starts too. The screenshot is kept for people.
# check: all
# packages: chromium ripgrep
# ide: yes
# output: yes
load lib

P=webapp
W=claude-worker-$P
URL=http://127.0.0.1:18700

setup_file() {
	make_person cosima
	make_project cosima webapp >/dev/null
	as_person cosima clsecure add /home/cosima/webapp --name $P Linger=10min
	as_person cosima sh -c 'umask 077; clsecure ssh-config '$P' >.ssh/config'
}

teardown() {
	close_forward
}

teardown_file() {
	as_person cosima clsecure remove --yes $P
}

open_forward() {
	as_person cosima ssh -M -S /home/cosima/mux -f -N -o ExitOnForwardFailure=yes \
		-L 127.0.0.1:18700:127.0.0.1:8080 $P </dev/null >/dev/null 2>&1 3>&-
	eventually 20 curl -sf -o /dev/null $URL/healthz
}

close_forward() {
	as_person cosima ssh -q -S /home/cosima/mux -O exit $P 2>/dev/null || :
}

nobody_inside() {
	[ -z "$(as_person cosima clsecure sessions $P | tail -n +2)" ]
}

nothing_runs() {
	[ -z "$(processes_of $W)" ]
}

pid_inside() {	# of code-server's first process
	as_person cosima ssh $P 'pgrep -of "code-server --auth"'
}

@test "code-server starts by the worker's ssh, and the host's own loopback does not have it" {
	as_person cosima ssh $P 'mkdir -p .local/share/code-server/User && cat >.local/share/code-server/User/settings.json' \
		<<<'{ "terminal.integrated.gpuAcceleration": "off", "workbench.startupEditor": "none", "files.autoSave": "off" }'
	run as_person cosima ssh $P 'nohup /opt/ide/node/bin/node /opt/ide/code-server --auth none --disable-telemetry \
		--disable-update-check --bind-addr 127.0.0.1:8080 >code-server.log 2>&1 </dev/null &
		for i in $(seq 300); do grep -q "HTTP server listening" code-server.log && exit; sleep 0.1; done; cat code-server.log; exit 1'
	assert_status 0
	run curl -s --max-time 5 http://127.0.0.1:8080/healthz
	assert_status 7
}

@test "in the browser: a file edited, a search, a command in the terminal" {
	local shot=$DEV_OUTPUT/code-server.png
	rm -f "$shot"
	open_forward
	# Chromium writes it as the person; the directory is root's.
	run as_person cosima timeout 170 /opt/ide/node/bin/node "$BATS_TEST_DIRNAME/code-server.js" $URL /home/cosima/webapp /home/cosima/shot.png
	[ ! -e /home/cosima/shot.png ] || cp /home/cosima/shot.png "$shot"
	assert_status 0
	assert_has 'README saved'
	assert_has 'found by search'
	assert_match "the terminal: 42 $W [0-9]+ /dev/pts/[0-9]+"
	assert_equal "$(cat /home/cosima/webapp/README)" $'hello\nedited in the browser'
	assert_equal "$(stat -c '%U %G' /home/cosima/webapp/README /home/cosima/webapp/by-terminal | sort -u)" "cosima $W
cosima cosima"
	run file "$shot"
	assert_has 'PNG image data, 1280 x 800'
}

@test "half a minute without a connection: with Linger= the same server, and its terminal, are there" {
	local server terminal
	read -r _ _ terminal _ </home/cosima/webapp/by-terminal
	server=$(pid_inside)
	[ -n "$server" ]
	eventually 10 nobody_inside
	sleep 30
	nobody_inside
	open_forward
	assert_equal "$(pid_inside)" "$server"
	run as_person cosima ssh $P "ps -o comm= -p $terminal"
	assert_output bash
}

@test "without Linger= nothing of it is left" {
	as_person cosima clsecure set $P Linger=
	eventually 10 test ! -e /run/clsecure/$P/keeper.sock
	eventually 5 nothing_runs
}
