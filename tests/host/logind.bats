# logind's view: each session is listed, ends when it is told to, and takes nothing else along.
# host: own
load lib

W=claude-worker-liapp
DIR=/home/liann/liapp

setup_file() {
	for name in liapp liother; do
		make_person liann
		make_project liann $name >/dev/null
		as_person liann clsecure add /home/liann/$name --name $name
	done
}

setup() {
	rm -f $DIR/*.on
}

teardown() {
	clsecure kill liapp >/dev/null 2>&1 || :
	clsecure kill liother >/dev/null 2>&1 || :
	pkill -u liann -x sleep || :
	eventually 10 nothing_runs
}

# Without the limit on how often.
restart_logind() {
	systemctl reset-failed systemd-logind 2>/dev/null || :
	systemctl restart systemd-logind
}

nothing_runs() {
	[ -z "$(pgrep -f 'clsecure-keeper liapp')" ]
}

# What a session does: says that it is there, and stays.
stay() {
	echo "touch $DIR/$1.on; while :; do sleep .2; done"
}

there() { [ -e "$DIR/$1.on" ] && pgrep -u $W -f "$1.on" >/dev/null; }
gone() { ! pgrep -u $W -f "$1.on" >/dev/null; }

by_ssh() {
	ssh_as liann $W@localhost "$(stay ssh)" </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 there ssh
}

by_su() {
	su - $W -c "$(stay su)" </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 there su
}

by_sudo() {
	sudo -u $W sh -c "$(stay sudo)" </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 there sudo
}

by_systemd() {
	systemd-run -q --collect -p PAMName="${1:-login}" -p User=$W sh -c "$(stay unit)"
	eventually 10 there unit
}

by_at() {
	echo "sh -c '$(stay at)'" | setpriv --reuid $W --regid $W --clear-groups env -C / at now 2>/dev/null
	eventually 20 there at
}

# What none of it may touch: another worker's session and a person's own.
others() {
	sudo -u claude-worker-liother sleep 600 </dev/null >/dev/null 2>&1 3>&- &
	ssh_as liann liann@localhost 'exec sleep 601' </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 others_stay
}

others_stay() {
	[ "$(sessions claude-worker-liother | wc -l)" -eq 1 ] && [ "$(sessions liann | wc -l)" -eq 1 ] &&
		pgrep -u claude-worker-liother -x sleep >/dev/null && pgrep -u liann -x sleep >/dev/null
}

# sessions USER: logind's ids
sessions() {
	loginctl --no-legend --no-pager list-sessions | awk -v u="$1" '$3 == u { print $1 }'
}

# session_of SERVICE: logind's id of that session of the worker's
session_of() {
	local id
	for id in $(sessions $W); do
		[ "$(loginctl show-session -P Service "$id")" != "$1" ] || echo "$id"
	done
}

# refute_bare: sudo runs its command, inside and in the worker's slice, within six seconds, or not at all
refute_bare() {
	run timeout 6 sudo -u $W sh -c 'readlink /proc/self/ns/pid; cat /proc/1/comm; echo end' </dev/null
	assert_status 0
	assert_has end
	refute_has "$(readlink /proc/self/ns/pid)"
	refute_has systemd
}

in_slice() {
	run cat "/proc/$(pgrep -u $W -f "$1.on" | head -n1)/cgroup"
	assert_has "/user-$(id -u $W).slice/clsecure-session-liapp-"
}

@test "every session is listed, with service, host and leader, and ends within two seconds, alone" {
	others
	by_ssh
	by_su
	by_sudo
	by_systemd
	by_at
	for service in sshd su-l sudo login atd; do
		id=$(session_of "$service")
		[ -n "$id" ] || fail "$service is not listed: $(loginctl --no-pager)"
		leader=$(loginctl show-session -P Leader "$id")
		run cat "/proc/$leader/cgroup"
		assert_has "/user-$(id -u $W).slice/session-$id.scope"
	done
	run loginctl show-session -P RemoteHost "$(session_of sshd)"
	assert_match '127.0.0.1|::1|localhost'
	loginctl kill-session -s KILL "$(session_of sudo)"
	eventually 2 gone sudo
	for pair in su-l:su login:unit atd:at; do
		loginctl terminate-session "$(session_of "${pair%:*}")"
		eventually 2 gone "${pair#*:}"
		there ssh
	done
	loginctl terminate-session "$(session_of sshd)"
	eventually 2 nothing_runs
	others_stay
}

@test "terminate-user ends all of them, also after daemon-reexec; nobody else's" {
	others
	by_ssh
	by_sudo
	by_systemd
	systemctl daemon-reexec
	there ssh
	loginctl terminate-session "$(session_of sudo)"
	eventually 2 gone sudo
	there ssh
	by_su
	sudo -u $W sh -c "trap '' TERM HUP; $(stay stubborn)" </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 there stubborn
	loginctl terminate-user $W
	eventually 5 nothing_runs # a second is what the stubborn one gets, and the load is not ours
	others_stay
}

@test "with KillUserProcesses=yes a session's end takes nothing of another's, nor the door before it has ended" {
	mkdir -p /etc/systemd/logind.conf.d
	printf '[Login]\nKillUserProcesses=yes\n' >/etc/systemd/logind.conf.d/kill.conf
	restart_logind
	by_su
	by_ssh
	loginctl terminate-session "$(session_of su-l)"
	eventually 2 gone su
	for _ in {1..10}; do
		run sudo -u $W sh -c 'exit 7' </dev/null
		assert_status 7
	done
	by_systemd sudo
	sleep 1
	there unit
	there ssh
	loginctl terminate-user $W
	eventually 5 nothing_runs # the load is not ours
	rm /etc/systemd/logind.conf.d/kill.conf
	restart_logind
}

@test "logind and the bus restart: sessions stay, and each login works" {
	by_ssh
	by_sudo
	(
		for _ in {1..3}; do
			restart_logind
			sleep .5
		done
		systemctl restart dbus
	) >/dev/null 2>&1 3>&- &
	restarts=$!
	while kill -0 "$restarts" 2>/dev/null; do
		run su - $W -c 'echo in' </dev/null
		assert_output in
		refute_bare
	done
	wait "$restarts"
	restart_logind
	there ssh
	there sudo
	loginctl terminate-user $W
	eventually 2 nothing_runs
}

@test "without logind, without the bus: logins work, in the worker's slice" {
	systemctl mask --runtime -q systemd-logind
	systemctl stop systemd-logind
	by_sudo
	by_su
	in_slice sudo
	in_slice su
	clsecure kill liapp
	systemctl stop dbus.socket dbus.service
	eventually 5 nothing_runs
	rm $DIR/*.on
	by_sudo
	in_slice sudo
	systemctl start dbus.socket dbus.service
	systemctl unmask --runtime -q systemd-logind
	restart_logind
}

@test "logind or the bus does not answer: sudo is not kept waiting, and not let out" {
	for name in systemd-logind dbus-daemon; do
		pid=$(pgrep -o -x $name)
		kill -STOP "$pid"
		refute_bare
		by_sudo
		in_slice sudo
		kill -CONT "$pid"
		clsecure kill liapp
		eventually 5 nothing_runs
		rm $DIR/*.on
	done
}

@test "a caller that died while the keeper was busy: who has its pid by then is not moved" {
	local bus
	by_sudo
	bus=$(pgrep -o -x dbus-daemon)
	kill -STOP "$bus"
	run timeout 30 python3 "$BATS_TEST_DIRNAME/late.py" liapp
	kill -CONT "$bus"
	assert_status 0
	assert_output 'refused, and not moved'
}
