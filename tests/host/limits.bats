# [Limits], [Syscalls] and the sizes of [Files], each shown by a session; and what is wrong as a value.
# also: vm
load lib

setup_file() {
	make_person lim
	make_project lim lim >/dev/null
}

teardown() {
	umount /proc/sys/kernel/core_pattern 2>/dev/null || :
	[ ! -e /var/lib/clsecure/projects/limapp ] || as_person lim clsecure remove --yes limapp
}

project() { as_person lim clsecure add /home/lim/lim --name limapp "$@"; }
inside() { as_person lim clsecure exec limapp "$@"; }

# core_pattern TEXT: what the keeper reads there; the machine's own is left alone
core_pattern() {
	echo "$1" >"$BATS_TEST_TMPDIR/core_pattern"
	mount --bind "$BATS_TEST_TMPDIR/core_pattern" /proc/sys/kernel/core_pattern
}

# limits NAME: soft and hard, as a session has it, by every door
limits() {
	local name="^$1 " door
	for door in "as_person lim clsecure exec limapp cat /proc/self/limits" \
		"su - claude-worker-limapp -c 'cat /proc/self/limits'" \
		"ssh_as lim claude-worker-limapp@localhost cat /proc/self/limits"; do
		eval "$door" </dev/null | grep "$name" | sed "s/$name *//; s/  */ /g; s/ \(bytes\|files\) *$//"
	done | sort -u
}

@test "OpenFiles, FileSize and CoreSize hold at every door" {
	core_pattern core
	project OpenFiles=77 FileSize=1M CoreSize=3M
	run limits 'Max open files'
	assert_output '77 77'
	run limits 'Max file size'
	assert_output '1048576 1048576'
	run limits 'Max core file size'
	assert_output '3145728 3145728'
	run inside bash -c 'ulimit -n 78'
	[ "$status" -ne 0 ]
	run inside python3 -c 'import os
for i in range(200): os.open("/dev/null", 0)'
	[ "$status" -ne 0 ]
	assert_has 'Too many open files'
	run inside sh -c 'head -c 2M /dev/zero >~/big; stat -c %s ~/big'
	assert_has 1048576
}

@test "CoreSize: a dump of that size, none by default, and never to a pipe of the host's" {
	core_pattern core
	project
	run limits 'Max core file size'
	assert_output '0 0'
	as_person lim clsecure set limapp CoreSize=infinity
	run limits 'Max core file size'
	refute_has '0 0'
	umount /proc/sys/kernel/core_pattern
	# whatever CoreSize says, and also where the door's own limit is 0
	core_pattern '|/bin/sh'
	run limits 'Max core file size'
	assert_output '1 1'
	as_person lim clsecure set limapp CoreSize=0
	run limits 'Max core file size'
	assert_output '1 1'
	# To raise it takes a capability that the host, as a container, may lack: then nobody enters.
	run bash -c "ulimit -c 0; su - claude-worker-limapp -c 'cat /proc/self/limits'"
	[[ $output =~ Max\ core\ file\ size\ +1\ +1\  ]] || {
		[ "$status" -ne 0 ]
		assert_has 'cannot set the limits of a session'
	}
}

@test "TmpSize and TmpInodes: of each tmpfs, and of an ephemeral home" {
	local dir
	project TmpSize=4M TmpInodes=40 Home=ephemeral
	for dir in /tmp /var/tmp /dev/shm /home/claude-worker-limapp; do
		run inside df -B1 --output=size "$dir"
		assert_has 4194304
		run inside df --output=itotal "$dir"
		assert_match '[^0-9]40$'
		run inside sh -c "head -c 5M /dev/zero >$dir/big"
		[ "$status" -ne 0 ]
		assert_has 'No space left'
		run inside sh -c "rm -f $dir/big; for i in \$(seq 50); do : >$dir/\$i || exit 1; done"
		[ "$status" -ne 0 ]
		assert_has 'No space left'
	done
}

# Each of them by number where python has no name for it: 438 is pidfd_getfd.
TRACE='import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    signal.pause()
print("attach", libc.ptrace(16, child, 0, 0), ctypes.get_errno())
pidfd = os.pidfd_open(child)
print("getfd", min(libc.syscall(438, pidfd, 0, 0), 0), ctypes.get_errno())
print("of PID 1", libc.syscall(438, os.pidfd_open(1), 0, 0), ctypes.get_errno())
os.kill(child, 9)'

@test "AllowPtrace: gdb and strace work; without it nothing is traced, nor its descriptors taken" {
	project
	run inside strace -o /dev/null true
	assert_status 0
	run inside gdb -q -batch -ex run -ex bt /bin/true
	assert_has 'exited normally'
	run inside python3 -c "$TRACE"
	assert_output 'attach 0 0
getfd 0 0
of PID 1 -1 1'
	as_person lim clsecure remove --yes limapp
	project AllowPtrace=no
	run inside strace -o /dev/null true
	[ "$status" -ne 0 ]
	assert_has 'Operation not permitted'
	run inside python3 -c "$TRACE"
	assert_output 'attach -1 1
getfd -1 1
of PID 1 -1 1'
	run inside python3 -c 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.process_vm_readv(1, None, 0, None, 0, 0), ctypes.get_errno())'
	assert_output '-1 1'
}

@test "TIOCSTI, TIOCSETD and TIOCLINUX are refused, whatever stands in the high half" {
	local script
	project
	script='import ctypes, os
a, b = os.openpty()
for name, request, argument in ("TIOCSTI", 0x5412, b"x"), ("TIOCSETD", 0x5423, b"\0\0\0\0"), ("TIOCLINUX", 0x541c, b"\2"):
    for high in 0, 1 << 32:
        libc = ctypes.CDLL(None, use_errno=True)
        got = libc.ioctl(b, ctypes.c_ulong(request | high), argument)
        print(name, got, ctypes.get_errno())'
	run inside python3 -c "$script"
	assert_output 'TIOCSTI -1 1
TIOCSTI -1 1
TIOCSETD -1 1
TIOCSETD -1 1
TIOCLINUX -1 1
TIOCLINUX -1 1'
}

# refused SETTING REASON: exit status 2, the reason, and no project.
refused() {
	run project "$1"
	[ "$status" -eq 2 ] || fail "$1: status $status: $output"
	assert_has "$2"
	[ ! -e /var/lib/clsecure/projects/limapp ]
}

@test "a wrong value of each type is refused with what is wanted" {
	refused Linger=soon 'is not a time'
	refused ExpireAfter=-1 'is not a time'
	refused MaxSessions=-1 'is not a number'
	refused MaxSessions=1.5 'is not a number'
	refused MaxSessions=99999999999999999999 'MaxSessions='
	refused MaxSessions=0 'must not be 0'
	refused OpenFiles=0 'must not be 0'
	refused TmpInodes=many 'is not a number'
	refused TmpSize=1Q 'is not a size'
	refused TmpSize=0 'must not be 0'
	refused FileSize=1k1 'is not a size'
	refused CoreSize=-1 'is not a size'
	refused CoreSize=99999999999999T 'CoreSize='
	refused AllowPtrace=maybe 'is not yes or no'
	refused Network=half 'is none of: none, filtered, full'
	refused Home=tmp 'is none of: ephemeral, persistent'
	refused Toolchains=some 'is none of: none, auto'
	refused SetEnv=1A=x 'is not a list of NAME=VALUE'
	refused 'SetEnv=A=1 CLSECURE_X=1' ": item 2, 'CLSECURE_X='"
	refused PassEnv='a b=c' 'is not a list of names'
	refused AllowUsers=a:b 'is not a list of names'
	refused AllowGroups=-x 'is not a list of names'
	refused Shell=bash 'is not an absolute path'
	refused Hide=../x 'is not a list of paths'
	refused ProtectPaths=/etc 'relative to the project'
	refused Bind=data 'is not a list of SOURCE'
	refused Command=$'a\nb' 'control character'
	refused Profile=none-such "there is no profile 'none-such'"
	refused AllowDomains=http://x.test 'is not a list of NAME'
	refused AllowDomains='x.test 127.1' 'item 2'
	refused AllowDomains=@none-such "there is no set '@none-such'"
	refused DenyDomains=x..test 'is not a list of NAME'
	refused AllowHostPorts=70000 'is not a list of ports'
	refused StrictNames=some 'is not yes or no'
	refused TmpSzie=1M "the nearest is TmpSize="
}

@test "what is not in this version is refused by name, and what is the administrator's to others" {
	local setting
	for setting in MemoryMax=1G TasksMax=10 CPUQuota=50 IOWeight=5 HomeSize=1G ForwardPorts=80 Notify=yes \
		Workspace=review Record=yes LogCommands=yes KeepDays=3; do
		refused "$setting" 'not in this version'
	done
	for setting in AllowServices=sshd Mode=namespace RootDirectory=/x AllowNesting=yes AllowForeignAbi=yes; do
		run project "$setting"
		assert_status 1
		assert_has "administrator's alone"
	done
	for setting in Mode=user Mode=container RootDirectory=/x AllowNesting=yes AllowForeignAbi=yes; do
		run clsecure add /home/lim/lim --name limapp "$setting"
		[ "$status" -ne 0 ]
		assert_has 'not in this version'
	done
}
