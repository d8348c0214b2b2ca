# Helpers for the tests of the test host. A file begins with `load lib`.
# Tests run as root, in a booted host with clsecure installed and set up; what
# they make (accounts, projects) has names of its own, since files share a host.
# shellcheck shell=bash

# fail WORDS: ends the test, saying why.
fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# make_person NAME [UID]: an account with a home, a shell, an ssh key that it
# accepts itself, and git's name. Nothing if it is there.
make_person() {
	local name=$1
	id "$name" >/dev/null 2>&1 && return
	useradd -m -s /bin/bash ${2:+-u "$2"} "$name" || return
	as_person "$name" sh -ec '
		umask 077
		mkdir -p .ssh
		ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519
		cat .ssh/id_ed25519.pub >.ssh/authorized_keys
		git config --global user.name "$USER"
		git config --global user.email "$USER@localhost"'
}

# make_project NAME DIR: a git repository DIR in the home of the person NAME, with
# one commit; prints its path.
make_project() {
	local home
	home=$(getent passwd "$1" | cut -d: -f6)
	as_person "$1" sh -ec '
		mkdir -p "$1"
		cd "$1"
		git init -q
		echo hello >README
		git add README
		git commit -qm first' - "$2" || return
	echo "$home/$2"
}

# as_person NAME COMMAND...: with that person's ids and groups and a small
# environment, in its home; no PAM, no terminal of its own.
as_person() {
	local name=$1 home uid gid
	shift
	IFS=: read -r _ _ uid gid _ home _ < <(getent passwd "$name")
	[ -n "$home" ] || fail "no account $name" || return
	setpriv --reuid "$uid" --regid "$gid" --init-groups --reset-env env -C "$home" \
		HOME="$home" USER="$name" LOGNAME="$name" SHELL=/bin/bash LANG=C.UTF-8 TERM="${TERM:-dumb}" \
		PATH=/usr/local/bin:/usr/bin:/bin "$@"
}

# ssh_as NAME SSH-ARGUMENTS...: that person's ssh, which asks nothing.
ssh_as() {
	local name=$1
	shift
	as_person "$name" ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o ConnectTimeout=10 "$@"
}

# on_pty COMMAND...: on a pty of its own, which is the controlling terminal; the
# output comes with the terminal's CR removed. Its status is the command's.
on_pty() {
	local status=0 file
	file=$(mktemp)
	export -f as_person ssh_as fail
	SHELL=/bin/bash script -qefc "$(printf '%q ' "$@")" /dev/null </dev/null >"$file" || status=$?
	tr -d '\r' <"$file"
	rm -f "$file"
	return "$status"
}

# eventually SECONDS COMMAND...: until it succeeds, ten times a second. The virtual
# machine has some times as long.
eventually() {
	local end=$((${EPOCHREALTIME%.*} + $1 * ${DEV_SLOWER:-1}))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME%.*}" -lt "$end" ] || fail "not within the time: $*" || return
		sleep .1
	done
}

# never_for SECONDS COMMAND...: it must keep failing that long.
never_for() {
	! eventually "$@" 2>/dev/null || fail "happened: ${*:2}"
}

# After bats' `run`:
assert_status() {
	[ "$status" -eq "$1" ] || fail "status $status, not $1; output: $output"
}
assert_output() {	# exactly
	[ "$output" = "$1" ] || fail "output: $output; not: $1"
}
assert_has() {	# a string somewhere in it
	[[ $output == *"$1"* ]] || fail "not in the output: $1; output: $output"
}
refute_has() {
	[[ $output != *"$1"* ]] || fail "in the output: $1; output: $output"
}
assert_match() {	# an extended regular expression
	[[ $output =~ $1 ]] || fail "does not match $1; output: $output"
}
assert_equal() {
	[ "$1" = "$2" ] || fail "'$1' is not '$2'"
}

# processes_of USER: pids, this test's own children aside.
processes_of() {
	ps -o pid= -U "$1" 2>/dev/null
}

# What a login leaves can be told by comparing this before and after.
host_state() {
	findmnt -rn -o TARGET,SOURCE,FSTYPE | sort
	ip -o link | cut -d: -f2
	losetup -a
	find /run/clsecure /tmp -mindepth 1 -maxdepth 2 ! -name 'bats*' ! -path '*/bats-*' 2>/dev/null | sort
	find /sys/fs/cgroup -type d -path '*clsecure*' 2>/dev/null | sort
	ps -eo user:32,comm | grep -E 'clsecure' || :
}

# journal_since CURSOR-FILE: marks, then prints what was logged after the mark.
journal_mark() {
	journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p' >"$BATS_TEST_TMPDIR/cursor"
}
journal_new() {
	journalctl -q --no-pager -o cat --after-cursor "$(<"$BATS_TEST_TMPDIR/cursor")"
}
