# pam_clsecure: whom it refuses, what it leaves alone, and that every failure is a closed door.
# host: own
# configure: --enable-fault-injection
load lib

W=claude-worker-pamapp
LIBEXEC=/usr/libexec/clsecure
FAULT=/var/lib/clsecure/fault

# Before the point of no return, in this process or in the keeper.
undoable='pam-policy prepare spawn independent claim keeper-policy idmap build-clone build-network build-root build-pivot seal keeper-enter pam-last keeper-place'

setup_file() {
	make_person pamela
	make_person stranger
	make_project pamela pamapp
	as_person pamela clsecure add /home/pamela/pamapp --name pamapp
}

teardown() {
	rm -f "$FAULT"
	chmod 0755 "$LIBEXEC/clsecure-keeper"
	[ ! -e /var/lib/clsecure/armed.away ] || mv -T /var/lib/clsecure/armed.away /var/lib/clsecure/armed
}

nothing_runs() {
	[ -z "$(pgrep -x clsecure-keeper)" ]
}

no_scopes() {
	[ -z "$(find /sys/fs/cgroup -type d -name 'clsecure-*-pamapp-*.scope')" ]
}

refused() {	# COMMAND...: no program runs, non-zero; the reason is in $output
	rm -f /home/pamela/pamapp/ran
	run "$@"
	[ "$status" -ne 0 ] || fail "not refused: $output"
	[ ! -e /home/pamela/pamapp/ran ] || fail "a program ran"
}

@test "identities that are no logins" {
	refused su - clsecure-egress -c id
	assert_has 'clsecure-egress is no login'
	refused su - clsecure-pasta -c id
	refused runuser -l clsecure-egress -c id
	refused su - claude -c id
	assert_has 'claude comes in by ssh only'
}

@test "a person who may not enter, by su" {
	refused as_person stranger su - $W -c 'touch ~/pamapp/ran' </dev/null
}

@test "each injected failure: denied with the reason, nothing left" {
	eventually 10 nothing_runs
	for step in $undoable enter-setns enter-capabilities enter-filter enter-ready; do
		echo "$step" >"$FAULT"
		refused timeout 20 su - $W -c 'touch ~/pamapp/ran' </dev/null
		assert_has 'clsecure: '
		rm "$FAULT"
		eventually 10 nothing_runs
	done
	eventually 10 no_scopes
	run su - $W -c 'echo in' </dev/null
	assert_output in
}

@test "a refusal before the point of no return leaves the caller as it was" {
	eventually 10 nothing_runs
	printf 'account required pam_clsecure.so\nsession required pam_clsecure.so\n' >/etc/pam.d/clsecure-kept
	clsecure set pamapp AllowServices+=clsecure-kept
	for step in $undoable; do
		echo "$step" >"$FAULT"
		run timeout 20 python3 "$BATS_TEST_DIRNAME/kept.py" clsecure-kept $W
		assert_status 0 || fail "at $step"
		rm "$FAULT"
	done
	eventually 10 nothing_runs
	# the comparison can fail: a session that opens is no refusal
	run timeout 20 python3 "$BATS_TEST_DIRNAME/kept.py" clsecure-kept $W
	[ "$status" -ne 0 ]
	rm /etc/pam.d/clsecure-kept
}

# on_terminal COMMAND: its status; 'same' when the terminal is afterwards as it was
on_terminal() {
	on_pty sh -c "before=\$(stty -g); $1; status=\$?
		[ \"\$before\" = \"\$(stty -g)\" ] && echo same; exit \$status"
}

@test "a terminal that cannot be replaced: denied with the reason, the terminal as it was" {
	eventually 10 nothing_runs
	for step in pam-terminal pam-relay pam-relay-go; do
		echo "$step" >"$FAULT"
		refused on_terminal "timeout --foreground 20 su - $W -c 'touch ~/pamapp/ran'"
		assert_has 'clsecure: '
		assert_has 'Input/output error'
		assert_has same
		rm "$FAULT"
		eventually 10 nothing_runs
		[ -z "$(pgrep -x clsecure-relay)" ] || fail "a relay is left"
	done
	echo 'pam-relay-go kill' >"$FAULT"
	refused on_terminal "su - $W -c 'touch ~/pamapp/ran'"
	assert_has same
	rm "$FAULT"
	mv "$LIBEXEC/clsecure-relay" "$LIBEXEC/away"
	refused on_terminal "su - $W -c 'touch ~/pamapp/ran'"
	mv "$LIBEXEC/away" "$LIBEXEC/clsecure-relay"
	assert_has "cannot start $LIBEXEC/clsecure-relay"
	assert_has same
	run on_terminal "su - $W -c tty"
	assert_status 0
	assert_has /dev/pts/
}

@test "a terminal that cannot be replaced leaves the caller as it was" {
	printf 'account required pam_clsecure.so\nsession required pam_clsecure.so\n' >/etc/pam.d/clsecure-kept
	clsecure set pamapp AllowServices+=clsecure-kept
	for step in pam-terminal pam-relay pam-last; do
		echo "$step" >"$FAULT"
		run on_pty timeout --foreground 20 python3 "$BATS_TEST_DIRNAME/kept.py" clsecure-kept $W
		assert_status 0 || fail "at $step"
		rm "$FAULT"
	done
	rm /etc/pam.d/clsecure-kept
}

@test "the keeper is killed at each of its steps: refused, and the next login works" {
	for step in independent claim keeper-policy idmap build-clone build-network build-root build-pivot seal keeper-enter keeper-place; do
		eventually 10 nothing_runs
		echo "$step kill" >"$FAULT"
		refused timeout 20 su - $W -c 'touch ~/pamapp/ran' </dev/null
		assert_has 'clsecure: '
		rm "$FAULT"
		eventually 10 nothing_runs
	done
	run su - $W -c 'echo in' </dev/null
	assert_output in
	eventually 10 no_scopes
}

# within SECONDS COMMAND...: refused, and no later
within() {
	local begin=$SECONDS
	refused "${@:2}"
	[ $((SECONDS - begin)) -le "$1" ] || fail "refused after $((SECONDS - begin)) s: $output"
}

@test "a keeper that is silent: refused in time with the reason, and the next login works" {
	local held keeper
	su - $W -c 'exec sleep 120' </dev/null >/dev/null 2>&1 3>&- &
	held=$!
	eventually 10 pgrep -u $W -x sleep
	keeper=$(pgrep -x clsecure-keeper)
	kill -STOP "$keeper"
	within 8 su - $W -c 'touch ~/pamapp/ran' </dev/null
	assert_has "the keeper of 'pamapp' does not answer"
	within 8 runuser -l $W -c 'touch ~/pamapp/ran' </dev/null
	assert_has 'clsecure: '
	within 8 ssh_as pamela $W@localhost 'touch ~/pamapp/ran'
	kill -CONT "$keeper"
	run su - $W -c 'echo in' </dev/null
	assert_output in
	run clsecure sessions pamapp
	assert_equal "$(grep -c pamapp: <<<"$output")" 1
	kill "$held"
	eventually 10 nothing_runs
}

@test "the keeper's program cannot be run" {
	eventually 10 nothing_runs
	chmod 000 "$LIBEXEC/clsecure-keeper"
	mv "$LIBEXEC/clsecure-keeper" "$LIBEXEC/away"
	refused timeout 20 su - $W -c 'touch ~/pamapp/ran' </dev/null
	mv "$LIBEXEC/away" "$LIBEXEC/clsecure-keeper"
	assert_has clsecure-keeper
}

@test "the registry is gone: refused, and others come in as before" {
	mv -T /var/lib/clsecure/armed /var/lib/clsecure/armed.away
	refused su - $W -c id
	run su - pamela -c 'echo in' </dev/null
	assert_output in
	run ssh_as pamela pamela@localhost 'echo in'
	assert_output in
}

@test "the login shell runs nothing outside a sandbox" {
	local uid
	uid=$(id -u $W)
	refused setpriv --reuid "$uid" --regid "$uid" --clear-groups $LIBEXEC/clsecure-shell -c 'touch /home/pamela/pamapp/ran'
	assert_status 125
	assert_has 'no sandbox here'
}
