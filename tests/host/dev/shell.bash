# dev shell: a sandboxed shell of a project, in a test host where its owner has
# the account that he has here. Sourced by dev.
# shellcheck shell=bash

DNS=169.254.1.53

command_shell() {
	[ $# -le 1 ] || usage_error "shell takes one PATH"
	local path person status=0
	path=$(realpath -e -- "${1:-.}" 2>/dev/null) && [ -d "$path" ] || die "${1:-.} is not a directory"
	case $path in *$'\n'*) die "a path with a line feed in it does not work here" ;; esac
	person=$(shell_person "$path") || exit 1
	run_begin
	HOST_PROJECT=$path
	if [ -z "$person" ]; then
		HOST_PROJECT_COPY=yes
		say "root owns $path, and root has no sandbox: the account 'developer' gets a copy of it, gone afterwards"
	fi
	network_start
	host_start
	shell_account "$path" "$person"
	say "the test host is up ($DEV_BOOTED s); $NETWORK. ${person:+What is changed in $path is changed here.}"
	person=${person:-developer:1000}
	host_run su -l "${person%%:*}" --session-command "exec clsecure shell $(printf %q "$path")" || status=$?
	exit $status
}

# Prints NAME:UID of whom the project is for: who called sudo, or its owner;
# nothing if that is root.
shell_person() {
	local uid=${SUDO_UID:-0} name
	[ "$uid" != 0 ] || uid=$(stat -c %u -- "$1")
	[ "$uid" != 0 ] || return 0
	name=$(getent passwd "$uid" | cut -d: -f1)
	[ -n "$name" ] || die "$1 belongs to uid $uid, and there is no such account here"
	echo "$name:$uid"
}

# Makes the account inside as it is here: name, uid, gid, groups, home. A group
# whose name has another number inside keeps the number that it has there.
shell_account() {
	local path=$1 name=${2%%:*} uid=${2##*:} gid=1000 home=/home/developer gids=1000 g group groups=()
	if [ -n "$2" ]; then
		IFS=: read -r _ _ _ gid _ home _ < <(getent passwd "$name")
		gids=$(id -G "$name")
	else
		name=developer uid=1000
	fi
	for g in $gids; do
		group=$(getent group "$g" | cut -d: -f1)
		[ -n "$2" ] || group=developer
		[ -n "$group" ] || continue
		host_exec sh -c 'getent group "$1" >/dev/null || groupadd -o -g "$2" "$1"' - "$group" "$g" || die "cannot make the group $group inside"
		groups+=("$group")
	done
	host_exec useradd -M -o -u "$uid" -g "$gid" -G "$(IFS=,; echo "${groups[*]}")" -d "$home" -s /bin/bash "$name" ||
		die "cannot make the account $name inside"
	host_exec bash -s - "$path" "$uid:$gid" "$home" <<-'END' || die "cannot prepare the home of $name inside"
		mkdir -p "$3"
		chown "$2" "$3"
		cp -rn --no-preserve=ownership /etc/skel/. "$3/" && chown -R "$2" "$3"/.[a-z]*
		dir=${1%/*}
		while [ -n "$dir" ] && [ "$dir" != / ]; do
			case $dir/ in "$3"/*) chown "$2" "$dir" ;; *) chmod a+x "$dir" ;; esac
			dir=${dir%/*}
		done
		ln -s /opt/claude/bin/claude /usr/local/bin/claude
	END
	[ "$name" = developer ] || shell_git_config "$name" "$uid:$gid" "$home"
}

# Read as that person: it is root's hand that copies.
shell_git_config() {
	local file=$RUN/gitconfig
	setpriv --reuid "${2%:*}" --regid "${2#*:}" --clear-groups timeout 2 head -c 65536 "$3/.gitconfig" >"$file" 2>/dev/null || return 0
	host_exec sh -c 'cat >"$1/.gitconfig" && chown "$2" "$1/.gitconfig"' - "$3" "$2" <"$file"
}

# A network namespace with pasta at its end. Debian's pasta joins one only that is
# in a user namespace of its own uid; root then enters the network alone.
network_start() {
	NETWORK="it has no network: pasta cannot give it this machine's"
	local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups) i
	command -v pasta >/dev/null || machine_packages
	# Not every machine lets everybody open it; in dev's own mount namespace it is so.
	[ -e /dev/net/tun ] || modprobe -q tun || die "this kernel has no tun device, which pasta needs"
	mknod -m 666 "$RUN/tun" c 10 200 && mount --bind "$RUN/tun" /dev/net/tun || die "cannot make a tun device"
	"${nobody[@]}" unshare --user --net setpriv --pdeathsig KILL sleep infinity </dev/null {RUN_LOCK}>&- &
	NETWORK_PID=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(readlink "/proc/$NETWORK_PID/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
			[ "$(cat "/proc/$NETWORK_PID/comm")" = sleep ] && break
		sleep .02
	done
	HOST_NET=/proc/$NETWORK_PID/ns/net HOST_NETLESS='' HOST_RESOLV="nameserver $DNS"
	setpriv --pdeathsig KILL unshare --pid --fork --kill-child bash -c '"$@" & wait' - "${nobody[@]}" \
		pasta --foreground --quiet --config-net --no-map-gw -t none -u none -T none -U none --dns-forward "$DNS" \
		--userns "/proc/$NETWORK_PID/ns/user" --netns "/proc/$NETWORK_PID/ns/net" \
		</dev/null >"$RUN/pasta.log" 2>&1 {RUN_LOCK}>&- &
	PASTA_PID=$!
	for ((i = 0; i < 100; i++)); do
		kill -0 "$PASTA_PID" 2>/dev/null || i=99
		nsenter --net="$HOST_NET" ip -4 route show default | grep -q . && break
		sleep .05
	done
	[ $i = 100 ] || NETWORK='it has the network'
}

network_stop() {
	local pid
	for pid in ${PASTA_PID:-} ${NETWORK_PID:-}; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
}
