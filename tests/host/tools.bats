# What must work inside: the tools that an agent and a person use every day.
load lib

setup_file() {
	make_person tilda
	make_project tilda tools >/dev/null
	as_person tilda clsecure add /home/tilda/tools --name tools
}

teardown_file() {
	as_person tilda clsecure remove --yes tools
}

# inside COMMAND: by the shell of the worker, in the project.
inside() {
	as_person tilda clsecure exec tools bash -c "cd /home/tilda/tools && $1"
}

@test "git: status, commit, init --shared; the person can go on outside" {
	run inside 'git status --short && echo more >>README && git commit -qam second && git log --format=%s'
	assert_status 0
	assert_output $'second\nfirst'
	run inside 'git init -q --shared=group shared && stat -c %A shared/.git | cut -c7'
	assert_status 0
	assert_output s
	run as_person tilda sh -c 'cd tools && git status --short && echo third >>README && git commit -qam third && git log --format=%s | head -n1'
	assert_status 0
	assert_has third
	run as_person tilda rm -rf tools/shared
	assert_status 0
}

@test "git carries the person's name" {
	run inside 'git config user.name; git config user.email'
	assert_output $'tilda\ntilda@localhost'
}

@test "gcc, make, and a program under AddressSanitizer" {
	run inside 'mkdir -p c && cd c && printf "int main(int c, char **v) { return c - 1; }\n" >a.c &&
		printf "a: a.c\n\tgcc -g -fsanitize=address -o a a.c\n" >Makefile && make -s && ./a; echo $?; ./a 1 2; echo $?'
	assert_status 0
	assert_output $'0\n2'
	run inside 'cd c && printf "int main(void) { char *volatile p = __builtin_malloc(4); return p[4]; }\n" >b.c && gcc -g -fsanitize=address -o b b.c && ./b'
	[ "$status" -ne 0 ]
	assert_has heap-buffer-overflow
}

@test "gdb and strace" {
	run inside 'cd c && gcc -g -o plain a.c && gdb -q -batch -ex "break main" -ex run -ex bt ./plain 2>&1'
	assert_status 0
	assert_match '#0 +main'
	run inside 'strace -e trace=getpid -o /tmp/trace sh -c : && strace -c true'
	assert_status 0
	assert_has 'calls'
}

@test "python, node and npm" {
	run inside 'python3 -c "import os, tempfile, multiprocessing as m; print(m.Pool(2).map(abs, [-1, -2]), os.getuid())"'
	assert_output "[1, 2] $(id -u claude-worker-tools)"
	run inside 'node -e "console.log(require(\"os\").userInfo().username, new (require(\"worker_threads\").Worker)(\"\", {eval: true}) && 1)"'
	assert_output 'claude-worker-tools 1'
	run inside 'mkdir -p n/dep n/app && cd n && (cd dep && npm init -y >/dev/null) && cd app && npm init -y >/dev/null && npm install --offline --no-audit --no-fund ../dep >/dev/null && npm ls --parseable | wc -l'
	assert_status 0
	assert_output 2
}

@test "tmux and vim on a terminal" {
	run on_pty as_person tilda clsecure shell tools 'tmux new-session -d -s t "echo in tmux >~/tmux.out; sleep 60" && sleep 1 && cat ~/tmux.out && tmux kill-server'
	assert_status 0
	assert_has 'in tmux'
	run on_pty as_person tilda clsecure shell tools 'vim -u NONE -es +"normal ihello" +"w! /tmp/v" +q; cat /tmp/v'
	assert_has hello
}

@test "an ssh client runs and finds no network" {
	run inside 'ssh -V 2>&1 && ssh -o BatchMode=yes -o ConnectTimeout=3 nobody@127.0.0.1 true'
	[ "$status" -ne 0 ]
	assert_has OpenSSH
	assert_match 'refused|unreachable'
}

@test "expected refusals read well: sudo, unshare, mount" {
	run inside 'sudo -n true'
	[ "$status" -ne 0 ]
	assert_has 'no new privileges'
	run inside 'unshare -U true'
	[ "$status" -ne 0 ]
	assert_has 'Operation not permitted'
}
