# host: vm
# What takes a kernel of its own: an old one, real cgroups, AppArmor, a core_pattern that may be changed.
load lib

setup_file() {
	make_person vera
	make_project vera real >/dev/null
	as_person vera clsecure add /home/vera/real --name real
}

teardown() {
	echo core >/proc/sys/kernel/core_pattern
	systemctl revert "$(slice)"
}

inside() { as_person vera clsecure exec real "$@" </dev/null; }

slice() { echo "user-$(id -u claude-worker-real).slice"; }

# call NAME NUMBER ARGUMENTS: prints the error of a system call
call() {
	python3 -c 'import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
got = libc.syscall(*map(int, sys.argv[1:]))
print(errno.errorcode.get(ctypes.get_errno()) if got < 0 else got)' "$@"
}

@test "the machine is what it is meant to be: 6.1 or with the calls of 5.15" {
	run uname -r
	assert_match '^6\.1\.'
	# futex_waitv(2) of 5.16 with nothing to wait for; process_mrelease(2) of 5.15 with no process
	run call 449 0 0 0 0 0
	if [ "${DEV_PLACE:-vm}" = vm-5.15 ]; then assert_output ENOSYS; else assert_output EINVAL; fi
	run call 448 -1 0
	assert_output EBADF
	# SO_PEERPIDFD
	run python3 -c 'import socket; socket.socketpair()[0].getsockopt(socket.SOL_SOCKET, 77)'
	assert_has 'Protocol not available'
	run cat /sys/fs/cgroup/cgroup.controllers
	assert_has memory
	assert_has pids
	run aa-enabled
	assert_output Yes
}

@test "a crash inside runs no handler of the host's, whatever CoreSize says" {
	local size marks=/var/tmp/cores
	mkdir -p $marks
	printf '#!/bin/sh\ncat >/dev/null\n: >%s/"$1"\n' $marks >/usr/local/sbin/handler
	chmod 755 /usr/local/sbin/handler
	echo '|/usr/local/sbin/handler %e' >/proc/sys/kernel/core_pattern
	# a crash outside does
	cp /bin/sleep /usr/local/bin/outside
	as_person vera bash -c 'outside 9 & sleep .5; kill -SEGV $!; wait $!' || :
	eventually 5 [ -e $marks/outside ]
	for size in 0 3M infinity; do
		as_person vera clsecure set real CoreSize=$size
		for door in "inside bash -c" "su - claude-worker-real -c" "ssh_as vera claude-worker-real@localhost"; do
			run $door 'cp /bin/sleep ~/within; ~/within 9 & sleep .5; kill -SEGV $!; wait $!; echo $?'
			assert_has 139
		done
	done
	never_for 1 [ -e $marks/within ]
	assert_equal "$(ls $marks)" outside
}

@test "what a worker's slice is limited to, the sandbox has: memory" {
	inside true
	run inside python3 -c 'x = bytearray(200 << 20); print("had it")'
	assert_has 'had it'
	systemctl set-property --runtime "$(slice)" MemoryMax=80M MemorySwapMax=0
	for door in "inside sh -c" "su - claude-worker-real -c" "ssh_as vera claude-worker-real@localhost"; do
		run $door 'python3 -c "x = bytearray(200 << 20); print(\"had it\")"'
		[ "$status" -ne 0 ]
		refute_has 'had it'
	done
	run inside echo again
	assert_output again
}

@test "what a worker's slice is limited to, the sandbox has: tasks" {
	local many='import os, signal
made = 0
try:
    while made < 100:
        if os.fork() == 0: signal.pause()
        made += 1
except OSError as e: print(e.strerror)
print(made < 100)
os.killpg(0, signal.SIGKILL)'
	inside true
	run inside setsid -w python3 -uc "$many"
	assert_has False
	systemctl set-property --runtime "$(slice)" TasksMax=40
	for door in "inside" "as_person vera clsecure exec real"; do
		run $door setsid -w python3 -uc "$many"
		assert_has 'Resource temporarily unavailable'
		assert_has True
	done
	run inside echo again
	assert_output again
}

@test "each process of a sandbox is below its worker's slice, and sees a cgroup of its own" {
	local uid pid su
	uid=$(id -u claude-worker-real)
	su - claude-worker-real -c 'sleep 976' </dev/null 3>&- &
	su=$!
	eventually 5 pgrep -u claude-worker-real -x sleep
	for pid in $(pgrep -u claude-worker-real) $(pgrep -x clsecure-init); do
		run cat "/proc/$pid/cgroup"
		assert_has "/user.slice/user-$uid.slice/"
	done
	run cat "/proc/$(pgrep -o -xf 'clsecure-keeper real')/cgroup"
	assert_has /clsecure.slice/
	run inside cat /proc/self/cgroup
	assert_output 0::/
	clsecure kill real
	wait $su || :
}

@test "a project on tmpfs, which takes no idmapped mount in this kernel, is refused with the reason" {
	mkdir -p /srv/memory
	mount -t tmpfs none /srv/memory
	install -d -o vera /srv/memory/app
	run as_person vera clsecure add /srv/memory/app --name memapp
	umount /srv/memory
	[ "$status" -ne 0 ]
	assert_has 'takes no idmapped mounts'
	[ ! -e /var/lib/clsecure/projects/memapp ]
}

@test "AppArmor has denied nothing of clsecure's" {
	run journalctl -k --no-pager -g 'apparmor="DENIED"'
	refute_has clsecure
	run inside cat /proc/self/attr/current
	assert_has unconfined
}
