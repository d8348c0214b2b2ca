# The sandbox itself: what is protected, what is found, and that nothing outlives its holders.
# also: vm
load lib

setup_file() {
	make_person sam
	make_project sam box >/dev/null
	as_person sam clsecure add /home/sam/box --name box
}

teardown_file() {
	as_person sam clsecure remove --yes box
}

inside() {
	as_person sam clsecure exec box "$@"
}

# gone: nothing of the sandbox runs any more, within three seconds.
gone() {
	local i
	for ((i = 0; i < 30; i++)); do
		pgrep -u claude-worker-box >/dev/null || pgrep -xf "clsecure-keeper box" >/dev/null || return 0
		sleep .1
	done
	fail "still there: $(pgrep -u claude-worker-box -a) $(pgrep -af 'clsecure-keeper box')"
}

# hold: a session in the background whose command is a long sleep; waits until it runs.
hold() {
	local i
	su - claude-worker-box -c 'sleep 987' 3>&- &
	for ((i = 0; i < 50; i++)); do
		pgrep -u claude-worker-box -x sleep >/dev/null && return
		sleep .1
	done
	fail "no session came up"
}

# keeper, first: the keeper and its child, PID 1 of the sandbox
keeper() { pgrep -o -xf 'clsecure-keeper box'; }
first() { pgrep -P "$(keeper)" -x clsecure-init; }

@test "what the owner's programs would run cannot be changed" {
	run inside sh -c 'cd ~/box && touch .git/hooks/post-commit'
	[[ $output == *"Read-only file system"* ]]
	run inside sh -c 'cd ~/box && mv .git .git2'
	[ "$status" -ne 0 ]
	[ ! -e /home/sam/box/.git/hooks/post-commit ]
}

@test "no setuid file, no device, no namespace" {
	inside sh -c 'cd ~/box && cp /bin/true t'
	run inside sh -c 'cd ~/box && chmod u+s t'
	[ "$status" -ne 0 ]
	run inside sh -c 'cd ~/box && mknod d c 0 0'
	[ "$status" -ne 0 ]
	run inside unshare -Ur true
	[ "$status" -ne 0 ]
	[ ! -u /home/sam/box/t ] && [ ! -e /home/sam/box/d ]
}

@test "what is made inside is the owner's on disk, with the worker's group" {
	inside sh -c 'cd ~/box && touch made'
	[ "$(stat -c %u:%g /home/sam/box/made)" = "$(id -u sam):$(id -g claude-worker-box)" ]
}

@test "what appears is told to the owner" {
	run inside sh -c 'cd ~/box && mkdir -p .vscode && git config core.pager evil'
	gone
	# by the command that ended the last session, or by the next one
	output+=$(as_person sam clsecure list 2>&1)
	[[ $output == *"'.vscode' appeared"* ]]
	[[ $output == *"core.pager=evil"* ]]
	rm -rf /home/sam/box/.vscode
	as_person sam git -C /home/sam/box config --unset core.pager
	# once told, no longer kept
	run as_person sam clsecure list
	[[ $output != *appeared* ]]
}

@test "a keeper that is killed takes all with it, and the next login starts anew" {
	hold
	kill -9 "$(keeper)"
	gone
	run inside echo again
	[ "$output" = again ]
}

# keeper_says OP UID: the status in its answer, to a request about the sandbox of that worker
keeper_says() {
	python3 -c '
import socket, struct, sys
version, op = {"kill": (1, 6), "reserve": (2, 8)}[sys.argv[1]]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(5)
s.connect("/run/clsecure/box/keeper.sock")
s.send(struct.pack("=IIII256x", version, op, 0, int(sys.argv[2])))
print(struct.unpack_from("=Ii", s.recv(4096))[1])' "$@"
}

@test "whose sandbox is meant is said by a uid: a name may be another person's by now" {
	local worker
	worker=$(id -u claude-worker-box)
	hold
	assert_equal "$(keeper_says reserve $((worker + 1)))" -116	# ESTALE
	assert_equal "$(keeper_says kill $((worker + 1)))" -116
	pgrep -u claude-worker-box -x sleep
	assert_equal "$(keeper_says reserve "$worker")" 0
	assert_equal "$(keeper_says kill "$worker")" 0
	gone
}

@test "a caller that went before it was answered has no session, though it lives" {
	local caller keeper
	hold
	keeper=$(pgrep -oxf 'clsecure-keeper box')
	kill -STOP "$keeper"
	python3 -c '
import socket, struct, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/clsecure/box/keeper.sock")
s.send(struct.pack("=IIII32s224x", 2, 1, 0, 0, b"early"))
s.close()
print("asked", flush=True)
time.sleep(60)' >"$BATS_TEST_TMPDIR/said" 3>&- &
	caller=$!
	eventually 5 grep -q asked "$BATS_TEST_TMPDIR/said"
	kill -CONT "$keeper"
	run clsecure sessions box
	assert_has box:1
	refute_has early
	kill "$caller"
	pkill -u claude-worker-box -x sleep
	gone
}

@test "a first process that is killed ends the sandbox" {
	hold
	kill -9 "$(first)"
	gone
	run inside echo again
	[ "$output" = again ]
}

@test "a login that is killed leaves nothing" {
	hold
	kill -9 "$(pgrep -f 'su - claude-worker-box')"
	gone
}

@test "twenty logins at once share one sandbox" {
	local i pids=()
	for i in {1..20}; do
		su - claude-worker-box -c 'readlink /proc/self/ns/pid; sleep 2' >"$BATS_TEST_TMPDIR/$i" 3>&- </dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cat "$BATS_TEST_TMPDIR"/* | sort -u | wc -l)" -eq 1 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/* | wc -l)" -eq 20 ]
	gone
}

@test "the sandbox is in the worker's slice, its keeper in clsecure's" {
	hold
	grep -q "clsecure.slice/clsecure-keeper-box-" "/proc/$(keeper)/cgroup"
	grep -q "user-$(id -u claude-worker-box).slice/clsecure-sandbox-box-" "/proc/$(first)/cgroup"
	pkill -u claude-worker-box -x sleep
	gone
}
