# host: own
# clsecure-egress killed, broken, missing: the network is gone, never open, and comes back by itself.
load lib
load internet

setup_file() {
	make_person nel
	make_project nel net >/dev/null
	internet
	as_person nel clsecure add /home/nel/net --name netapp Network=filtered Linger=10min AllowDomains=web.test
}

teardown_file() {
	as_person nel clsecure remove --yes netapp
	internet_end
}

inside() { as_person nel clsecure exec netapp "$@"; }
works() { [ "$(inside curl -sS -m 2 http://web.test/)" = 'web.test for 203.0.113.1' ]; }

@test "killed in the middle of transfers: they end, new ones work within a second, nothing else ever does" {
	local i pid now prober
	works
	for i in 1 2 3; do
		inside timeout 60 curl -sS -o /dev/null http://web.test/endless 3>&- &
	done
	# a prober, all the time: whatever it reaches is a hole
	inside sh -c 'end=$(($(date +%s) + 12)); while [ $(date +%s) -lt $end ]; do
		curl -sS -m 1 http://203.0.113.10/ && echo REACHED; curl -sS -m 1 http://evil.test/ && echo REACHED; done 2>/dev/null' >"$BATS_TEST_TMPDIR/holes" 3>&- &
	prober=$!
	sleep 1
	for i in 1 2 3; do
		pid=$(pgrep -x clsecure-egress)
		kill -9 "$pid"
		now=${EPOCHREALTIME/./}
		until works; do [ $((${EPOCHREALTIME/./} - now)) -lt 2000000 ]; done
		[ "$(pgrep -x clsecure-egress)" != "$pid" ]
	done
	run pgrep -f http://web.test/endless
	assert_status 1
	wait $prober || :
	run cat "$BATS_TEST_TMPDIR/holes"
	assert_output ''
	journalctl -q --no-pager -t clsecure-keeper | grep -q 'clsecure-egress ended: nothing is reached until'
	journalctl -q --no-pager -t clsecure-keeper | grep -q 'clsecure-egress serves again'
}

@test "restarted within a second, what connects meanwhile waits and is served" {
	local now
	works
	kill -9 "$(pgrep -x clsecure-egress)"
	now=${EPOCHREALTIME/./}
	run inside curl -sS -m 5 http://web.test/
	assert_output 'web.test for 203.0.113.1'
	[ $((${EPOCHREALTIME/./} - now)) -lt 1000000 ]
}

@test "stopped, it is found out and replaced when it has something to answer" {
	works
	kill -STOP "$(pgrep -x clsecure-egress)"
	as_person nel clsecure set netapp DenyDomains+=x.test
	eventually 8 works
}

@test "it cannot be started again: nothing is reached, and the keeper goes on trying" {
	works
	mv /usr/libexec/clsecure/clsecure-egress /usr/libexec/clsecure/away
	kill -9 "$(pgrep -x clsecure-egress)"
	run inside timeout 3 curl -sS -m 2 http://web.test/
	[ "$status" -ne 0 ]
	run inside timeout 3 curl -sS -m 2 http://203.0.113.10/
	[ "$status" -ne 0 ]
	# a new sandbox does not open without it
	as_person nel clsecure kill netapp
	sleep 1
	run inside true
	assert_status 125
	assert_has clsecure-egress
	mv /usr/libexec/clsecure/away /usr/libexec/clsecure/clsecure-egress
	works
}

@test "the keeper killed: clsecure-egress ends too, stopped as well" {
	gone() { ! pgrep -x clsecure-egress; }
	works
	kill -9 "$(pgrep -oxf 'clsecure-keeper netapp')"
	eventually 5 gone
	works
	kill -STOP "$(pgrep -x clsecure-egress)"
	kill -9 "$(pgrep -oxf 'clsecure-keeper netapp')"
	eventually 5 gone
}
