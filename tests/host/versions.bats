# A sandbox that runs across an upgrade: it is entered by its own version only, and any can look at it and end it.
load lib

W=claude-worker-verapp
RUN=/run/clsecure/verapp
P=/home/vera/verapp

setup_file() {
	make_person vera
	make_project vera verapp >/dev/null
}

setup() {
	as_person vera clsecure add $P --name verapp
	rm -f $P/ran
}

teardown() {
	[ -z "${FAKE:-}" ] || kill "$FAKE" 2>/dev/null || :
	rm -f $RUN/keeper.sock
	! getent passwd $W >/dev/null || as_person vera clsecure remove --yes verapp
}

# fake HOW: stands where the keeper of verapp does
fake() {
	rm -rf $RUN
	install -d -m 700 $RUN
	python3 "$BATS_TEST_DIRNAME/versions.py" keeper $RUN/keeper.sock "$1" >"$BATS_TEST_TMPDIR/asked" 3>&- &
	FAKE=$!
	eventually 10 test -S $RUN/keeper.sock
}

ended() { ! kill -0 "$FAKE" 2>/dev/null; }

refused() {
	run timeout 20 su - $W -c "touch $P/ran" </dev/null
	[ "$status" -ne 0 ] || fail "not refused: $output"
	[ ! -e $P/ran ] || fail "a program ran"
}

@test "a keeper of another version: not entered, and kill ends it" {
	for how in first older newer; do
		fake $how
		refused
		assert_has "the sandbox of 'verapp' was started by another version of clsecure: 'clsecure kill verapp' ends it"
		run as_person vera clsecure exec verapp touch $P/ran
		[ "$status" -ne 0 ]
		assert_has "'clsecure kill verapp' ends it"
		run ended
		[ "$status" -ne 0 ]
		run as_person vera clsecure sessions verapp
		assert_status 0
		run as_person vera clsecure kill verapp
		assert_status 0
		eventually 5 ended
	done
	run su - $W -c 'echo in' </dev/null
	assert_output in
}

@test "a keeper of another version: remove ends it" {
	for how in first newer; do
		fake $how
		run as_person vera clsecure remove --yes verapp
		assert_status 0
		eventually 5 ended
		[ ! -e /var/lib/clsecure/projects/verapp ]
		as_person vera clsecure add $P --name verapp
	done
}

@test "a keeper that refuses to end: kill and remove fail, and say so" {
	fake refusing
	refused
	for words in 'kill' 'remove --yes'; do
		run as_person vera clsecure $words verapp
		[ "$status" -ne 0 ] || fail "$words: $output"
		grep -qx 9 "$BATS_TEST_TMPDIR/asked"
	done
	kill "$FAKE"
	eventually 5 ended
	as_person vera clsecure add $P --name verapp # which finishes the removal first
}

@test "the keeper itself: answers who is of another version, and lets nobody of it in" {
	su - $W -c 'exec sleep 60' </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 pgrep -u $W -x sleep
	ask() { python3 "$BATS_TEST_DIRNAME/versions.py" ask $RUN/keeper.sock "$@"; }
	for version in 1 3; do
		run ask $version 1
		assert_output '2 -71' # -EPROTO, and the connection ends
	done
	for op in 5 9; do
		run ask 1 $op
		assert_output $'2 0\n2 0'
	done
	run ask 1 6
	assert_has '2 0'
	eventually 5 run_is_empty
}

run_is_empty() { [ -z "$(pgrep -u $W)" ]; }
