# A thousand sessions by every door, while what carries them is stopped and killed: nothing of them
# stays, and the next login works.
# host: own
# check: all
load lib

W=claude-worker-kiapp

setup_file() {
	export BATS_TEST_TIMEOUT=1100
	make_person kiann
	make_project kiann kiapp >/dev/null
	as_person kiann clsecure add /home/kiann/kiapp --name kiapp
	ip link add out type veth peer name far # a way out, for pasta to copy
	ip link set far up
	ip addr add 192.0.2.1/24 dev out
	ip link set out up
	ip route add default via 192.0.2.2
}

# by NUMBER COMMAND: a session by one of the doors; none stays longer than four seconds.
by() {
	local -a within=(timeout -k 1 4)
	case $(($1 % 9)) in
	0) "${within[@]}" su - $W -c "$2" ;;
	1) "${within[@]}" sudo -u $W sh -c "$2" ;;
	2) "${within[@]}" runuser -l $W -c "$2" ;;
	3) ssh_as kiann $W@localhost "timeout 4 sh -c '$2'" ;;
	4) ssh_as kiann claude@localhost kiapp "timeout 4 sh -c '$2'" ;;
	5) as_person kiann "${within[@]}" clsecure exec kiapp sh -c "$2" ;;
	6) on_pty as_person kiann "${within[@]}" clsecure shell kiapp "$2" ;;
	7) on_pty as_person kiann "${within[@]}" su - $W -c "$2" ;;
	8) "${within[@]}" systemd-run -q --pipe --wait -p PAMName=login -p User=$W sh -c "$2" ;;
	esac </dev/null >/dev/null 2>&1 3>&-
}

# Whatever has a part in a session, inside and outside.
carriers() {
	ps -eo pid=,user:32=,comm=,args= | awk -v w=$W '
		$2 == w || $3 ~ /^(su|sudo|runuser|pasta.*|clsecure|clsecure-(shell|keeper)|clsecured)$/ ||
			($4 == "sshd:" && $5 ~ "^(claude|" w ")(@|$)") { print $1 }'
}

# Every tenth of a second one of them, until FILE is gone: killed, or stopped and then killed.
kill_some() {
	local pids pid
	while [ -e "$1" ]; do
		sleep .1
		mapfile -t pids < <(carriers)
		[ ${#pids[@]} -gt 0 ] || continue
		printf . >>"$BATS_TEST_TMPDIR/killed"
		pid=${pids[RANDOM % ${#pids[@]}]}
		if [ $((RANDOM % 3)) -gt 0 ]; then
			kill -KILL "$pid" || :
		else
			kill -STOP "$pid" || :
			(sleep "$((RANDOM % 6)).$((RANDOM % 10))"; kill -KILL "$pid") 3>&- &
		fi
	done 2>/dev/null
	wait || :
}

traces() {
	host_state | grep -v /.tickets # used ones, until they would have expired
	loginctl list-sessions --no-legend | grep -E "$W|kiann" || :
	systemctl list-units --no-legend --plain 'clsecure-*.scope'
	for type in mnt net pid ipc uts cgroup user; do
		lsns -nr -t $type -o COMMAND | grep -vE '^lsns' | wc -l
	done
	pgrep -u $W || :
	pgrep -u kiann || :
}

# What to know of it.
left_behind() {
	ps -eo pid,ppid,stat,user:24,cgroup:80,args --forest | grep -E 'clsecure|passt|kia'
	loginctl list-sessions --no-legend | awk '{ print $1 }' |
		xargs -r -n1 loginctl --no-pager session-status -n 0
	journalctl -q --no-pager -o short-precise -t clsecure-keeper -n 40
}

same() { cmp -s "$BATS_TEST_TMPDIR/before" <(traces); }

# sessions NUMBER: so many sessions, twenty-five at once
sessions() {
	local killer opened i n=0
	su - $W -c true </dev/null
	as_person kiann clsecure exec kiapp true
	eventually 20 quiet
	traces >"$BATS_TEST_TMPDIR/before"
	journal_mark
	touch "$BATS_TEST_TMPDIR/on"
	kill_some "$BATS_TEST_TMPDIR/on" 3>&- &
	killer=$!
	while [ $n -lt "$1" ]; do
		local pids=()
		for ((i = 0; i < 25; i++, n++)); do
			by $((RANDOM)) "sleep $((RANDOM % 3)).$((RANDOM % 10))" &
			pids+=($!)
		done
		for i in "${pids[@]}"; do wait "$i" || :; done
	done
	rm "$BATS_TEST_TMPDIR/on"
	wait $killer || :
	opened=$(journal_new | grep -c '^kiapp: session .* opened by')
	[ "$opened" -ge $(($1 / 3)) ] || fail "of $1 sessions $opened were opened"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/killed")" -ge $(($1 / 10)) ]
	run timeout 20 su - $W -c 'echo in' </dev/null
	assert_output in
	run as_person kiann timeout 20 clsecure exec kiapp echo in
	assert_output in
	eventually 30 same || fail "$(diff "$BATS_TEST_TMPDIR/before" <(traces); left_behind)"
}

quiet() { [ -z "$(carriers | grep -vxF "$(pgrep -x clsecured)")" ]; }

@test "without a network" {
	sessions 500
}

@test "with pasta's" {
	clsecure set kiapp Network=full
	sessions 500
}
