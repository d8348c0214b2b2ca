# dev vm, in a test host.
# bind: cache vm
# check: all
load lib

setup_file() {
	export DEV_HOST_SETUP=no
	mkdir -p /tmp/dev-run /tmp/dev-lock
	touch /tmp/dev-lock/use
	mount --bind /tmp/dev-run "$DEV_CACHE/run"
	mount --bind /tmp/dev-lock "$DEV_CACHE/lock"
}

left_behind() {
	findmnt -rn -o TARGET,SOURCE | sort
	ps -eo comm= | grep -E 'qemu|unshare|^ssh$|nsenter' | sort
	ls "$DEV_CACHE/run"
}

@test "three streams, the exit status and words with blanks pass; the kernel is another, and nothing is left" {
	local before
	before=$(left_behind)
	run bash -c 'echo in | "$1" vm -- sh -c "cat; echo err >&2; printf %s \"\$1\"; uname -r; clsecure --version
		systemctl is-system-running; exit 7" - "a  b"' - /usr/src/clsecure/dev
	assert_status 7
	for words in in err 'a  b' cloud-amd64 'clsecure 0' running; do
		assert_has "$words"
	done
	refute_has "$(uname -r)"
	assert_equal "$(left_behind)" "$before"
}

@test "on a terminal it has one of its own, with its size; nothing is left" {
	local before
	before=$(left_behind)
	cat >"$BATS_TEST_TMPDIR/type" <<-'END'
		set timeout 170
		set stty_init "rows 31 cols 97"
		spawn /usr/src/clsecure/dev vm
		expect -re {[#] } { send "stty size; tty; exit 5\r" }
		expect eof
		exit [lindex [wait] 3]
	END
	run expect "$BATS_TEST_TMPDIR/type"
	assert_status 5
	assert_has '31 97'
	assert_has /dev/pts/0
	assert_equal "$(left_behind)" "$before"
}

booted() { ls "$DEV_CACHE"/run/*/vm/ssh >/dev/null 2>&1; }

@test "after Ctrl-C nothing is left, whether it boots or runs a command; after kill -9 nothing runs" {
	local before signal
	before=$(left_behind)
	for signal in INT TERM KILL; do
		env --default-signal=INT /usr/src/clsecure/dev vm -- sleep 60 3>&- &
		if [ $signal = INT ]; then eventually 60 pgrep qemu; else eventually 150 booted; fi
		kill -s $signal $!
		wait $! || :
		eventually 5 sh -c '! pgrep qemu'
		[ $signal = KILL ] || assert_equal "$(left_behind)" "$before"
	done
}

@test "wrong words are refused with 2, and a machine that does not boot is told so" {
	run /usr/src/clsecure/dev vm ls
	assert_status 2
	run /usr/src/clsecure/dev vm --
	assert_status 2
	mkdir -p "$BATS_TEST_TMPDIR/empty"
	for image in "$DEV_CACHE"/vm-*; do
		mount --bind "$BATS_TEST_TMPDIR/empty" "$image"
	done
	run /usr/src/clsecure/dev vm -- true
	umount "$DEV_CACHE"/vm-*
	assert_status 1
	assert_has 'the virtual machine does not start: qemu ended'
}
