# dev itself, in a test host: there it has systemd outside, and a scope of its own.
# Where a test hides systemd, it makes its own cgroup.
# bind: cache
# packages: hello
# check: all
bats_require_minimum_version 1.5.0
load lib

setup_file() {
	export DEV_HOST_SETUP=no
	# The tree and the builds are those outside, so that nothing is made again;
	# runs and locks are this host's own.
	mkdir -p /tmp/dev-run /tmp/dev-lock
	touch /tmp/dev-lock/use
	mount --bind /tmp/dev-run "$DEV_CACHE/run"
	mount --bind /tmp/dev-lock "$DEV_CACHE/lock"
	mknod /dev/loop-control c 10 237
	for n in 0 1 2 3 4 5 6 7; do mknod "/dev/loop$n" b 7 "$n"; done
}

dev() {
	/usr/src/clsecure/dev "$@"
}


# Starts dev in the background, its SIGINT as at a terminal, its pid in DEV_PID.
dev_in_background() {
	env --default-signal=INT,QUIT "$@" 3>&- &
	DEV_PID=$!
}

# Everything that a run makes outside of the host that it made.
left_behind() {
	findmnt -rn -o TARGET,SOURCE | sort
	losetup -a | grep "$DEV_CACHE"
	ps -eo comm= | grep -xE 'systemd|unshare|pasta|sleep|nsenter' | sort
	ls "$DEV_CACHE/run"
}

cgroups() {
	find /sys/fs/cgroup -type d -name 'clsecure-dev-*'
}

none() {
	[ -z "$("$@")" ]
}

some() {
	[ -n "$("$@")" ]
}

in_nested_host() {
	pgrep -fx 'sleep 60' >/dev/null
}

@test "three streams, the exit status and words with blanks pass" {
	run bash -c 'echo in | "$1" host -- sh -c "cat; echo err >&2; printf %s \"\$1\"; exit 7" - "a  b"' - /usr/src/clsecure/dev
	assert_status 7
	assert_has in
	assert_has err
	assert_has 'a  b'
}

@test "COMMAND starts when systemd is done" {
	run dev host -- systemctl is-system-running
	assert_status 0
	assert_has running
}

@test "under systemd it is in a delegated scope of its own" {
	dev_in_background /usr/src/clsecure/dev host -- sleep 60
	eventually 90 in_nested_host
	run systemctl show -p Delegate "$(basename "$(cgroups | head -n 1)")"
	kill "$DEV_PID"
	wait "$DEV_PID" || [ $? = 143 ]
	assert_output Delegate=yes
	eventually 5 none cgroups
}

@test "without systemd it is in a cgroup of its own" {
	dev_in_background unshare --mount sh -c 'mount -t tmpfs none /run/systemd && exec "$@"' - \
		/usr/src/clsecure/dev host -- sleep 60
	eventually 90 in_nested_host
	run find /sys/fs/cgroup -maxdepth 1 -name 'clsecure-dev-*'
	kill "$DEV_PID"
	wait "$DEV_PID" || [ $? = 143 ]
	assert_match '^/sys/fs/cgroup/clsecure-dev-[^.]*$'
	eventually 5 none cgroups
}

@test "two run at once" {
	dev host -- sh -c 'sleep 3; hostname' >"$BATS_TEST_TMPDIR/one" &
	local first=$!
	dev host -- hostname >"$BATS_TEST_TMPDIR/two"
	wait "$first"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two")" $'clsecure-dev\nclsecure-dev'
}

@test "nothing is left after its end, after Ctrl-C and after SIGTERM" {
	local before signal
	before=$(left_behind)
	dev host -- true
	assert_equal "$(left_behind)" "$before"
	for signal in INT TERM; do
		dev_in_background /usr/src/clsecure/dev host -- sleep 60
		eventually 90 in_nested_host
		kill -s "$signal" "$DEV_PID"
		wait "$DEV_PID" || :
		assert_equal "$(left_behind)" "$before"
		eventually 5 none cgroups
	done
}

@test "after kill -9 nothing runs and nothing is mounted; the next run removes the rest" {
	local before
	before=$(left_behind)
	dev_in_background unshare --mount sh -c 'mount -t tmpfs none /run/systemd && exec "$@"' - \
		/usr/src/clsecure/dev host -- sleep 60
	eventually 90 in_nested_host
	kill -KILL "$DEV_PID"
	wait "$DEV_PID" || :
	eventually 5 sh -c '! pgrep -fx "sleep 60"'
	some ls "$DEV_CACHE/run"
	run=$(left_behind | grep -vxF "$(ls "$DEV_CACHE/run")" || :)
	assert_equal "$run" "$before"
	dev host -- true
	assert_equal "$(left_behind)" "$before"
	none cgroups
}

@test "the image is used where the cache takes no idmapped mount, and its loop device goes" {
	run env DEV_NO_IDMAP=1 /usr/src/clsecure/dev host -- findmnt -rn -o SOURCE /home
	assert_status 0
	assert_has /dev/loop
	none sh -c 'losetup -a | grep "$DEV_CACHE"'
}

@test "dev shell: the caller's account, PATH at its own path, a pty" {
	local path before
	before=$(left_behind)
	make_person ivan 4321
	groupadd -f -g 4400 team
	usermod -aG team ivan
	path=$(make_project ivan 'my app')
	cat >"$BATS_TEST_TMPDIR/type" <<-'END'
		set timeout 100
		spawn env DEV_HOST_SETUP= SUDO_UID=4321 /usr/src/clsecure/dev shell [lindex $argv 0]
		expect -re {[$] } { send "stty rows 31 cols 97; stty size; cat README; pwd; tty; exit 5\r" }
		expect eof
		exit [lindex [wait] 3]
	END
	run expect "$BATS_TEST_TMPDIR/type" "$path"
	assert_status 5
	assert_has '31 97'
	assert_has hello
	assert_has "$path"
	assert_has /dev/pts/
	assert_equal "$(left_behind)" "$before"
}

@test "dev check NAME: one file in a host, and the count last" {
	run /usr/src/clsecure/dev check host
	assert_status 0
	assert_match '[1-9][0-9]* passed, 0 failed, 0 skipped$'
}

@test "packages that the head of a file or DEV_PACKAGES names are there, from the cache" {
	hello
	run env DEV_PACKAGES='hello hello' /usr/src/clsecure/dev host -- sh -ec '
		hello; dpkg-query -W hello; ls /usr/sbin/policy-rc.d /etc/npmrc; cat /etc/resolv.conf'
	assert_has 'Hello, world!'
	refute_has 'adding to the tree'
	refute_has nameserver
	run -127 dev host -- hello
}

@test "packages that cannot be had are told so, and nothing of them is left" {
	local before
	before=$(ls "$DEV_CACHE")
	run env DEV_PACKAGES='hello no-such-package' /usr/src/clsecure/dev host -- true
	assert_status 1
	assert_has 'adding to the tree, once: hello no-such-package'
	assert_has 'cannot install hello no-such-package'
	assert_equal "$(ls "$DEV_CACHE")" "$before"
	run env DEV_PACKAGES='../x' /usr/src/clsecure/dev host -- true
	assert_status 2
}

@test "a file of tests with packages or the IDE that is not for --all alone is refused" {
	local line
	cp -r /usr/src/clsecure "$BATS_TEST_TMPDIR/checkout"
	for line in 'packages: hello' 'ide: yes'; do
		printf '# %s\n@test "x" { hello; }\n' "$line" >"$BATS_TEST_TMPDIR/checkout/tests/host/wrong.bats"
		run "$BATS_TEST_TMPDIR/checkout/dev" check wrong
		assert_status 1
		assert_has 'which is for files'
	done
}

@test "wrong words are refused with 2" {
	run dev nonsense
	assert_status 2
	run dev host ls
	assert_status 2
	run dev host --
	assert_status 2
	run dev check --fast
	assert_status 2
	run dev check no-such-file
	assert_status 2
	run dev shell /a /b
	assert_status 2
}

@test "who is not root is told so" {
	make_person ivan 4321
	run as_person ivan /usr/src/clsecure/dev host
	assert_status 1
	assert_has 'needs root'
}

@test "a cache mounted nodev or noexec is refused" {
	local dir=$BATS_TEST_TMPDIR/cache
	mkdir "$dir"
	for flag in nodev noexec; do
		mount -t tmpfs -o "$flag" none "$dir"
		run env DEV_CACHE="$dir" /usr/src/clsecure/dev host
		umount "$dir"
		assert_status 1
		assert_has "$flag"
	done
}

@test "a kernel without overlayfs is refused" {
	grep -vw overlay /proc/filesystems >"$BATS_TEST_TMPDIR/filesystems"
	run unshare --mount --propagation private sh -c 'mount --bind "$1" /proc/filesystems && exec "$2" host' - \
		"$BATS_TEST_TMPDIR/filesystems" /usr/src/clsecure/dev
	assert_status 1
	assert_has 'no overlayfs'
}

@test "clean removes the cache, all of it, and nothing that others put there" {
	local dir=$BATS_TEST_TMPDIR/cache
	mkdir -p "$dir/lock" "$dir"/{run/x,build/y,layer/z,output/o,tree-bookworm-1,claude-1,packages-1,ide-1,vm-1}
	touch "$dir/lock/use" "$dir/idmap-6"
	run env DEV_CACHE="$dir" /usr/src/clsecure/dev clean
	assert_status 0
	[ ! -e "$dir" ]
	mkdir -p "$dir/lock"
	touch "$dir/lock/use" "$dir/mine"
	run env DEV_CACHE="$dir" /usr/src/clsecure/dev clean
	assert_status 0
	run ls "$dir"
	assert_output mine
}

@test "a directory of other things is no cache, and is not cleaned" {
	local dir=$BATS_TEST_TMPDIR/project
	mkdir -p "$dir/build" "$dir/run"
	for command in clean host; do
		run env DEV_CACHE="$dir" /usr/src/clsecure/dev $command
		assert_status 1
		assert_has 'set DEV_CACHE to a directory of its own'
	done
	assert_equal "$(ls "$dir")" $'build\nrun'
}

@test "clean waits for no run that goes on: it is refused" {
	local dir=$BATS_TEST_TMPDIR/cache
	mkdir -p "$dir/lock" "$dir/build"
	run flock -s "$dir/lock/use" env DEV_CACHE="$dir" /usr/src/clsecure/dev clean
	assert_status 1
	assert_has 'another run of dev'
	[ -d "$dir/build" ]
}

@test "DEV_SUITE and DEV_MIRROR say what the tree is made of" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "suite $*"; sed "s/^/from /"; exit 1\n' >"$BATS_TEST_TMPDIR/bin/mmdebstrap"
	chmod +x "$BATS_TEST_TMPDIR/bin/mmdebstrap"
	run env PATH="$BATS_TEST_TMPDIR/bin:$PATH" DEV_CACHE="$BATS_TEST_TMPDIR/cache" DEV_SUITE=sid \
		DEV_MIRROR=http://mirror.invalid/debian /usr/src/clsecure/dev host
	assert_status 1
	assert_match 'suite .* sid [^ ]*/tree-sid-'
	assert_match 'from deb .*http://mirror.invalid/debian sid main'
	assert_has 'mmdebstrap failed'
	run ls -d "$BATS_TEST_TMPDIR/cache"/tree-*
	[ "$status" -ne 0 ]
}

half_made() { compgen -G "$BATS_TEST_TMPDIR/cache/tree-*.new.*" >/dev/null; }
whole_gone() { ! half_made; }

@test "a run that is ended while it makes the tree takes what there is of it along; of one that was killed the next does" {
	local signal
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\ntrap "exit 130" INT TERM; mkdir -p "${@: -2:1}/usr"; sleep 61 & wait\n' >"$BATS_TEST_TMPDIR/bin/mmdebstrap"
	chmod +x "$BATS_TEST_TMPDIR/bin/mmdebstrap"
	export PATH="$BATS_TEST_TMPDIR/bin:$PATH" DEV_CACHE="$BATS_TEST_TMPDIR/cache" DEV_SUITE=sid DEV_MIRROR=http://mirror.invalid/debian
	for signal in INT TERM KILL; do
		dev_in_background setsid /usr/src/clsecure/dev host -- true
		eventually 20 half_made
		if [ $signal = KILL ]; then
			kill -s KILL "$DEV_PID"
		else
			kill -s $signal -- "-$DEV_PID" # as a terminal does, to all in the foreground
		fi
		wait "$DEV_PID" || :
		eventually 5 sh -c '! pgrep -fx "sleep 61"'
		[ $signal = KILL ] || whole_gone || fail "left after SIG$signal: $(ls "$DEV_CACHE")"
	done
	half_made
	# not while somebody makes one
	run timeout -k 5 8 flock "$DEV_CACHE/lock/tree" /usr/src/clsecure/dev host
	assert_has 'waiting for another run that makes the tree'
	half_made
	run env DEV_SUITE=nowhere DEV_MIRROR= /usr/src/clsecure/dev host
	assert_has 'no mirror'
	whole_gone
}

@test "a cache without space is refused with the GiB" {
	local dir=$BATS_TEST_TMPDIR/cache
	mkdir "$dir"
	mount -t tmpfs -o size=64m none "$dir"
	run env DEV_CACHE="$dir" /usr/src/clsecure/dev host
	umount "$dir"
	assert_status 1
	assert_match 'has 0 GiB free.* need [0-9]+ GiB'
}

@test "no mirror is told so" {
	run env DEV_CACHE="$BATS_TEST_TMPDIR/cache" DEV_SUITE=nowhere /usr/src/clsecure/dev host
	assert_status 1
	assert_has 'no mirror'
}

@test "an old kernel is refused" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho 5.10.0-9-amd64\n' >"$BATS_TEST_TMPDIR/bin/uname"
	chmod +x "$BATS_TEST_TMPDIR/bin/uname"
	run env PATH="$BATS_TEST_TMPDIR/bin:$PATH" /usr/src/clsecure/dev host
	assert_status 1
	assert_has '5.15'
}
