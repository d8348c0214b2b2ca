# The test host: a Debian with systemd as PID 1 in namespaces of its own, on an
# overlay of the tree and the installed build. It ends with dev: whatever kills
# dev kills its PID 1 (parent-death signal), and with that every process and
# mount inside. Sourced by dev.
# shellcheck shell=bash

HOST_PID='' HOST_CGROUP='' CLAUDE='' EXTRA='' IDE='' VM=''

# host_start [CONFIGURE-ARGS...]: boots; returns when systemd is done.
host_start() {
	local began=$EPOCHREALTIME
	tree_need
	claude_need
	[ "${DEV_IDE:-}" != yes ] || ide_need
	# shellcheck disable=SC2086 # words are meant
	packages_need ${DEV_PACKAGES:-}
	# shellcheck disable=SC2086
	layer_need "$@" ${DEV_CONFIGURE:-}
	host_prepare
	host_boot
	host_wait
	host_set_up
	DEV_BOOTED=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

host_prepare() {
	HOST=$RUN/host
	mkdir "$HOST" "$HOST"/{mnt,root,disk} || die "cannot write into $RUN"
	host_disk
	HOST_CGROUP=''
	host_scope=()
	if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
		host_scope=(systemd-run --scope --quiet --collect -p Delegate=yes
			"--unit=clsecure-dev-${RUN##*/}-$RANDOM" --)
	else
		HOST_CGROUP=$RUN/cgroup/clsecure-dev-${RUN##*/}
		mkdir -p "$HOST_CGROUP/host" || die "cannot make the cgroup $HOST_CGROUP"
	fi
}

# /home, /var/lib/clsecure and /tmp: on a file system that takes idmapped mounts.
host_disk() {
	mkdir "$HOST/disk/"{home,state,tmp}
	chmod 1777 "$HOST/disk/tmp"
	if idmap_works; then
		return
	fi
	say "$CACHE takes no idmapped mounts: using an image"
	rm -rf "$HOST/disk"
	mkdir "$HOST/disk"
	truncate -s 16G "$HOST/disk.img"
	mkfs_in_tree "$HOST/disk.img" || die "cannot make an ext4 image in $HOST"
	mount -o loop "$HOST/disk.img" "$HOST/disk" || die "cannot mount an ext4 image: no loop device?"
	mkdir "$HOST/disk/"{home,state,tmp}
	chmod 1777 "$HOST/disk/tmp"
}

mkfs_in_tree() {
	local status=0
	mount --bind "${1%/*}" "$TREE/mnt" && mount -t proc proc "$TREE/proc" || return
	chroot "$TREE" mkfs.ext4 -q -F -m 0 "/mnt/${1##*/}" || status=$?
	umount "$TREE/mnt" "$TREE/proc"
	return $status
}

# Tries it, with the tree's python; once for a kernel and file system.
idmap_works() {
	local known
	known=$CACHE/idmap-$(uname -r)-$(stat -c %d "$HOST/disk")
	[ -z "${DEV_NO_IDMAP:-}" ] || return 1
	[ -e "$known" ] && return "$(<"$known")"
	local status=0
	# Not chroot: a chrooted process may not make the user namespace that it takes.
	unshare --mount --propagation private bash -ec '
		mount --bind "$1" "$1"
		mount --bind "$2" "$1/mnt"
		mount -t proc proc "$1/proc"
		cd "$1"
		pivot_root . .
		umount -l .
		exec python3 - /mnt' - "$TREE" "$HOST/disk/home" <"$LIB/idmap-try.py" || status=$?
	echo $status >"$known"
	return $status
}

host_boot() {
	local lower=${CLAUDE:+$CLAUDE:}${IDE:+$IDE:}$LAYER:${EXTRA:+$EXTRA:}$TREE i p
	: >"$HOST/boot.log"
	env -i PATH="$PATH" HOST="$HOST" LOWER="$lower" SRC="$SRC" HOST_CGROUP="${HOST_CGROUP:+$HOST_CGROUP/host}" \
		BIND="${DEV_HOST_BIND:-}" PROJECT="${HOST_PROJECT:-}" PROJECT_COPY="${HOST_PROJECT_COPY:-}" RESOLV="${HOST_RESOLV:-}" \
		setpriv --pdeathsig KILL "${host_scope[@]}" ${HOST_NET:+nsenter --net="$HOST_NET"} \
		unshare --mount --propagation private --uts --ipc ${HOST_NETLESS---net} --pid --fork --kill-child \
		bash "$LIB/host-init" </dev/null >"$HOST/boot.log" 2>&1 {RUN_LOCK}>&- &
	HOST_UNSHARE=$!
	for ((i = 0; i < 200; i++)); do
		p=$(<"/proc/$HOST_UNSHARE/task/$HOST_UNSHARE/children") 2>/dev/null || host_failed "it ended at once"
		p=${p// /}
		[ -n "$p" ] && [ "$(cat "/proc/$p/comm" 2>/dev/null)" = systemd ] && break
		sleep .05
	done
	HOST_PID=$p
	[ -n "$HOST_CGROUP" ] || HOST_CGROUP=$RUN/cgroup$(sed -n 's/^0:://p; s,/host$,,' "/proc/$p/cgroup" | sed 's,/host.*,,')
}

host_failed() {
	say "the test host does not start: $*"
	cat "$HOST/boot.log" >&2
	[ -z "$HOST_PID" ] || host_exec journalctl -b --no-pager -n 30 >&2
	exit 1
}

host_wait() {
	local i
	for ((i = 0; i < 600; i++)); do
		[ -S "/proc/$HOST_PID/root/run/systemd/private" ] && break
		kill -0 "$HOST_UNSHARE" 2>/dev/null || host_failed "systemd ended"
		sleep .05
	done
	HOST_STATE=$(host_exec timeout 90 systemctl is-system-running --wait)
	case $HOST_STATE in
	running) ;;
	degraded) say "degraded: $(host_exec systemctl --failed --no-legend --plain | cut -d' ' -f1 | tr '\n' ' ')" ;;
	*) host_failed "state ${HOST_STATE:-unknown}" ;;
	esac
}

# Runs `clsecure setup`, if this build has it and nobody asked for a host without.
host_set_up() {
	[ "${DEV_HOST_SETUP:-}" != no ] || return 0
	host_exec sh -c 'clsecure --help | grep -q "^  setup "' >/dev/null 2>&1 </dev/null || return 0
	host_exec clsecure setup --yes >"$HOST/setup.log" 2>&1 </dev/null || {
		cat "$HOST/setup.log" >&2
		die "clsecure setup failed in the test host"
	}
}

# What root has in the test host.
host_env() {
	HOST_ENV=(env -i -C /root --default-signal=INT,QUIT HOME=/root USER=root LOGNAME=root SHELL=/bin/bash
		TERM="${TERM:-dumb}" LANG=C.UTF-8 ${COLORTERM:+COLORTERM="$COLORTERM"}
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}

# host_exec COMMAND...: as root in the test host, outside of any login. Its
# descriptors are the caller's; its cgroup is /exec of the host.
host_exec() {
	local cgroup=$HOST_CGROUP/host/exec HOST_ENV
	host_env
	[ -z "$VM" ] || { vm_exec "${HOST_ENV[@]}" "$@"; return; }
	(
		mkdir -p "$cgroup" && echo "$BASHPID" >"$cgroup/cgroup.procs" || exit 125
		exec {RUN_LOCK}>&-
		exec nsenter -t "$HOST_PID" -m -u -i -n -p -C "${HOST_ENV[@]}" container=dev "$@"
	)
}

# host_pty COMMAND...: the same on a pty of the test host; script relays this
# terminal to it with size, resizes and the exit status.
host_pty() {
	local HOST_ENV
	host_env
	[ -z "$VM" ] || { vm_exec -t "${HOST_ENV[@]}" "$@"; return; }
	host_exec script -qefc "$(printf '%q ' "$@")" /dev/null
}

# No terminal of this machine enters the host: a typed-at one becomes a pty of it,
# one that is only written to a pipe. The command is waited for in the background,
# so that a signal to dev ends both at once.
host_run() {
	local call=host_exec
	if [ -t 0 ]; then
		TERMINAL=$(stty -g)
		call=host_pty
	elif [ -t 1 ] || [ -t 2 ]; then
		call=host_piped
	fi
	"$call" "$@" <&0 &
	wait $!
}

host_piped() {
	{
		host_exec "$@" 2>&3 3>&- | cat 3>&-
		return "${PIPESTATUS[0]}"
	} 3> >(cat >&2)
}

host_stop() {
	[ -z "${TERMINAL:-}" ] || stty "$TERMINAL" 2>/dev/null	# script may have died with it raw
	[ -z "${HOST_UNSHARE:-}" ] || {
		kill -KILL "$HOST_UNSHARE" 2>/dev/null
		wait "$HOST_UNSHARE" 2>/dev/null
	}
	[ -z "$HOST_CGROUP" ] || cgroup_remove "$HOST_CGROUP"
	[ -z "${HOST:-}" ] || {
		mountpoint -q "$HOST/disk" && umount "$HOST/disk"
		mountpoint -q "$HOST/vm" && umount "$HOST/vm"
		rm -rf --one-file-system "$HOST"
	}
	HOST_UNSHARE='' HOST_PID='' HOST_CGROUP='' HOST=''
}

command_host() {
	case ${1:-} in
	'') ;;
	--) shift; [ $# -gt 0 ] || usage_error "host --: a command is missing" ;;
	*) usage_error "host: write -- before the command" ;;
	esac
	run_begin
	host_start
	[ ! -t 2 ] || say "the test host is up ($HOST_STATE, ${DEV_BOOTED} s); it has no network"
	if [ $# = 0 ]; then
		set -- bash -l
	fi
	host_run "$@"
}
