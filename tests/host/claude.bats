# The real Claude Code in a sandboxed login does a task: one Bash tool call, against a stand-in for the Messages API that runs
# inside the sandbox too.
load lib

setup_file() {
	make_person clara
	make_project clara task >/dev/null
	as_person clara clsecure add /home/clara/task --name task Command=/opt/claude/bin/claude \
		SetEnv='ANTHROPIC_BASE_URL=http://127.0.0.1:8787 ANTHROPIC_AUTH_TOKEN=none' Linger=1min
	cp "$BATS_TEST_DIRNAME/messages-api.py" /home/clara/task/
	chown clara: /home/clara/task/messages-api.py
	as_person clara clsecure exec task sh -c 'cd ~/task && nohup python3 messages-api.py 8787 "id -un; pwd; echo made >made-by-claude" >/tmp/api.log 2>&1 &
		for i in 1 2 3 4 5 6 7 8 9 10; do python3 -c "import socket; socket.create_connection((\"127.0.0.1\", 8787))" 2>/dev/null && exit; sleep .3; done; exit 1'
}

teardown_file() {
	as_person clara clsecure remove --yes task
}

@test "clsecure runs Claude Code with -p: one Bash tool call as the worker, in the project" {
	run as_person clara sh -c 'cd task && clsecure -- -p "do the task"'
	assert_status 0
	assert_has 'TOOL SAID'
	assert_has claude-worker-task
	assert_has /home/clara/task
	assert_equal "$(cat /home/clara/task/made-by-claude)" made
	assert_equal "$(stat -c %U /home/clara/task/made-by-claude)" clara
}

@test "the file that Claude made has the project's group: it can be told" {
	assert_equal "$(stat -c %G /home/clara/task/made-by-claude)" claude-worker-task
}

@test "Claude Code as the interactive program on a terminal goes straight to work" {
	rm -f /home/clara/task/made-by-claude
	as_person clara tmux -L claude -f /dev/null new-session -d -x 120 -y 40 'cd ~/task && clsecure; echo "status $?"; sleep 60'
	screen() { as_person clara tmux -L claude capture-pane -p; }
	shows() { screen | grep -q "$1"; }
	eventually 40 shows 'bypass permissions' || { screen; return 1; }
	as_person clara tmux -L claude send-keys 'do the task'
	sleep 1
	as_person clara tmux -L claude send-keys Enter
	eventually 40 shows 'TOOL SAID' || { screen; return 1; }
	assert_equal "$(cat /home/clara/task/made-by-claude)" made
	as_person clara tmux -L claude send-keys /exit
	sleep 1
	as_person clara tmux -L claude send-keys Enter
	eventually 15 shows 'status 0' || { screen; return 1; }
	as_person clara tmux -L claude kill-server
}

@test "by ssh into the worker Claude Code runs too" {
	run ssh_as clara claude-worker-task@localhost 'cd task && /opt/claude/bin/claude --dangerously-skip-permissions -p "do the task"'
	assert_status 0
	assert_has 'TOOL SAID'
}
