# libnss_clsecure.so.2 under the real glibc: what it answers, what that costs, and
# that a damaged registry harms nobody else. The registry here is planted by hand.
# host: own
# setup: no
load lib

STATE=/var/lib/clsecure

# plant N: an armed registry of N projects p0, p1 ... with uids from FIRST on.
plant() {
	mkdir -p "$STATE"
	find "$STATE" -mindepth 1 -delete
	python3 - "$STATE" "$1" "$FIRST" "$LAST" <<-'PYTHON'
		import os, sys
		state, (n, first, last), bits = sys.argv[1], map(int, sys.argv[2:]), 1024
		for d in ("registry/name", "registry/uid", "registry/map"):
		    os.makedirs(f"{state}/{d}", 0o755)
		records = {first - 1: "claude", first - 2: "clsecure-egress", first - 3: "clsecure-pasta"}
		records.update({first + i: f"claude-worker-p{i}" for i in range(n)})
		for uid, name in records.items():
		    for link in (f"uid/{uid}", f"name/{name}"):
		        os.symlink(f"1:{name}:{uid}", f"{state}/registry/{link}")
		for block in range((last - first) // bits + 1):
		    digits = [0] * (bits // 4)
		    for i in range(bits):
		        if first + block * bits + i in records:
		            digits[i // 4] |= 1 << i % 4
		    os.symlink("1:" + "".join("%x" % d for d in digits), f"{state}/registry/map/{block}")
		os.symlink("registry", f"{state}/armed")
	PYTHON
}

setup_file() {
	# The range that this build was configured with.
	FIRST=$(clsecure setup --dry-run | sed -n 's/.* quiet uid < \([0-9]*\).*/\1/p' | head -n 1)
	LAST=$(clsecure setup --dry-run | sed -n 's/.* quiet uid > \([0-9]*\).*/\1/p' | head -n 1)
	FIRST=$((FIRST + 4)) P3=$((FIRST + 3))
	export FIRST LAST P3
	sed -i -E '/clsecure/!s/^((passwd|group|shadow):[[:space:]]+files)/\1 clsecure/' /etc/nsswitch.conf
	grep -c clsecure /etc/nsswitch.conf | grep -qx 3
	make_person nora
}

setup() {
	[ "$(readlink "$STATE/armed" 2>/dev/null)" = registry ] && [ ! -e "$STATE/damaged" ] || plant 10
}

# calls COMMAND...: how often the module asked the registry.
calls() {
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" "$@" >/dev/null 2>&1 || :
	grep -c "$STATE" "$BATS_TEST_TMPDIR/trace" || :
}

# Within a second; a busy machine has three tries.
quick() {
	timeout 1 "$@" || timeout 1 "$@" || timeout 1 "$@"
}

# What everybody else on the host needs.
host_unharmed() {
	run quick getent passwd root
	assert_has 'root:x:0:0:'
	run quick id nora
	assert_has '(nora)'
	run quick getent group root
	assert_has 'root:x:0:'
	run as_person nora timeout 5 id -un
	assert_output nora
}

@test "passwd, group and shadow, by name and by number" {
	run getent passwd claude-worker-p3
	assert_output "claude-worker-p3:x:$P3:$P3:clsecure project p3:/home/claude-worker-p3:/usr/libexec/clsecure/clsecure-shell"
	run getent passwd "$P3"
	assert_has "claude-worker-p3:x:$P3:"
	run getent group claude-worker-p3
	assert_output "claude-worker-p3:x:$P3:"
	run getent group "$P3"
	assert_output "claude-worker-p3:x:$P3:"
	run getent shadow claude-worker-p3
	assert_match '^claude-worker-p3:!\*:+$'
	run getent passwd claude clsecure-egress clsecure-pasta
	assert_equal "${#lines[@]}" 3
	assert_equal "${lines[0]}" "claude:x:$((FIRST - 1)):$((FIRST - 1)):clsecure gateway:/:/usr/libexec/clsecure/clsecure-gateway"
}

@test "enumeration has each once" {
	for database in passwd group shadow; do
		run bash -c "getent $database | grep -c '^cl[as]'"
		assert_output 13
	done
	run bash -c "getent passwd | cut -d: -f1 | sort | uniq -d"
	assert_output ''
}

@test "id and initgroups: its own group and no other" {
	run id claude-worker-p3
	assert_output "uid=$P3(claude-worker-p3) gid=$P3(claude-worker-p3) groups=$P3(claude-worker-p3)"
	run getent initgroups claude-worker-p3
	assert_match '^claude-worker-p3 *$'
}

@test "anybody may ask" {
	run as_person nora getent passwd claude-worker-p3
	assert_has ":$P3:"
}

@test "one of ours costs two system calls, at 10 and at 30,000 projects" {
	for n in 10 30000; do
		plant "$n"
		assert_equal "$(calls getent passwd claude-worker-p7)" 2
		assert_equal "$(calls getent passwd $((FIRST + 7)))" 2
		assert_equal "$(calls getent group claude-worker-p7)" 2
		assert_equal "$(calls getent shadow claude-worker-p7)" 2
		assert_equal "$(calls getent passwd claude-worker-none)" 1
	done
	run bash -c 'getent passwd | grep -c ^claude-worker-'
	assert_output 30000
	rm "$STATE/armed"
}

@test "a stranger costs none, found or not" {
	for who in root nora nobody none-such 12345 claude-worker-Upper; do
		assert_equal "$(calls getent passwd "$who")" 0
	done
	assert_equal "$(calls id nora)" 0
	assert_equal "$(calls getent initgroups nora)" 0
	# The module was loaded for those that no file has, so the counts above mean something.
	calls getent passwd none-such
	run grep -c libnss_clsecure "$BATS_TEST_TMPDIR/trace"
	[ "$status" -eq 0 ]
}

@test "enumerating 10 projects costs under a hundred system calls" {
	local n
	n=$(calls getent passwd)
	echo "$n"
	[ "$n" -ge 26 ]
	[ "$n" -lt 100 ]
}

@test "not armed: no names" {
	rm "$STATE/armed"
	run getent passwd claude-worker-p3
	assert_status 2
	run getent passwd "$P3"
	assert_status 2
	run bash -c "getent passwd | grep -c '^cl[as]'"
	assert_output 0
	host_unharmed
}

@test "damaged records are not answered, the others are" {
	touch "$STATE/damaged"
	cd "$STATE/registry"
	local big
	big=$(printf 'x%.0s' {1..2000})
	ln -sfn 1:claude-worker-p1:0 name/claude-worker-p1
	ln -sfn 1:claude-worker-p2:1000 name/claude-worker-p2
	ln -sfn 1:claude-worker-p3:$((FIRST + 4)) name/claude-worker-p3
	ln -sfn "$big" name/claude-worker-p5
	rm name/claude-worker-p6 name/claude-worker-p7 name/claude-worker-p8
	mkfifo name/claude-worker-p6
	mkdir name/claude-worker-p7
	echo 1:claude-worker-p8:$((FIRST + 8)) >name/claude-worker-p8
	for n in 1 2 3 5 6 7 8; do
		run timeout 5 getent passwd claude-worker-p$n
		assert_status 2
		run timeout 5 getent passwd $((FIRST + n))
		assert_status 2
	done
	run timeout 5 getent passwd $((FIRST + 4))
	assert_has claude-worker-p4
	run timeout 5 getent passwd 0
	assert_has root:x:0
	run bash -c "getent passwd | grep -c '^claude-worker-'"
	assert_output 3
	host_unharmed
}

@test "the registry missing, garbage, a FIFO, a loop, closed: the host is unharmed" {
	touch "$STATE/damaged"
	mv "$STATE/registry" "$STATE/moved"
	host_unharmed
	head -c 4096 /dev/urandom >"$STATE/registry"
	host_unharmed
	rm "$STATE/registry"
	mkfifo "$STATE/registry"
	host_unharmed
	rm "$STATE/registry"
	ln -s registry "$STATE/registry"
	host_unharmed
	run timeout 5 getent passwd claude-worker-p3
	[ "$status" -ne 0 ]
	rm "$STATE/registry"
	mv "$STATE/moved" "$STATE/registry"
	chmod 0000 "$STATE/registry"
	host_unharmed
	run as_person nora timeout 5 getent passwd claude-worker-p3
	[ "$status" -ne 0 ]
}

@test "the module's file gone: the host is unharmed" {
	local module
	module=$(find /usr/lib /lib -name libnss_clsecure.so.2 -type f | head -n 1)
	[ -n "$module" ]
	mv "$module" "$module.away"
	host_unharmed
	run timeout 5 getent passwd claude-worker-p3
	local gone=$status
	: >"$module"
	host_unharmed
	mv "$module.away" "$module"
	[ "$gone" -eq 2 ]
	run getent passwd claude-worker-p3
	assert_status 0
}
