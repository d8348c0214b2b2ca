# Quick logins, one after the other and at once: each keeps its scope, and nothing is left.
# host: own
# check: all
load lib

W=claude-worker-reapp

setup_file() {
	export BATS_TEST_TIMEOUT=600
	make_person reann
	make_project reann reapp >/dev/null
	as_person reann clsecure add /home/reann/reapp --name reapp
}

# scopes N: so many sessions of the worker's have begun since the mark
scopes() { [ "$(journal_new | grep -c "^Started session-.* of User $W")" -eq "$1" ]; }

none_left() {
	[ -z "$(loginctl --no-legend --no-pager list-sessions | grep $W)" ] &&
		[ -z "$(systemctl list-units --no-legend --plain 'clsecure-*.scope' 'session-*.scope')" ] &&
		[ -z "$(pgrep -x clsecure-keeper; pgrep -u $W)" ]
}

refute_lost() {
	run journal_new
	refute_has 'Failed to create session'
	refute_has destructive
	refute_has "no session of logind's"
	eventually 10 none_left
}

@test "three hundred, by su and by sudo in turn" {
	journal_mark
	for _ in {1..150}; do
		su - $W -c true </dev/null
		sudo -u $W true </dev/null
	done
	eventually 20 scopes 300
	refute_lost
}

@test "twenty at once by su, twenty by sudo" {
	for how in 'su - %s -c true' 'sudo -u %s true'; do
		journal_mark
		pids=()
		for _ in {1..20}; do
			# shellcheck disable=SC2059 # the format is ours
			$(printf "$how" $W) </dev/null 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		eventually 20 scopes 20
		refute_lost
	done
}
