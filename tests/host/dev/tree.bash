# The tree: a Debian with everything that building and testing needs, made once
# by mmdebstrap and then only read. Sourced by dev.
# shellcheck shell=bash

# One name per line of thought; a change makes a new tree.
PACKAGES=(
	systemd systemd-sysv dbus dbus-user-session libpam-systemd libnss-systemd systemd-container
	libpam-modules login passwd openssh-server openssh-client cron at sudo
	procps psmisc util-linux bsdutils bsdextrautils iproute2 iputils-ping nftables kmod
	passt bubblewrap pamtester ca-certificates dnsmasq-base
	gcc g++ clang libclang-rt-dev libc6-dev make autoconf automake libtool pkg-config autoconf-archive
	libpam0g-dev libseccomp-dev seccomp libcap-dev libcap2-bin nettle-dev libjson-c-dev
	libsystemd-dev libevent-dev libidn2-dev libcmocka-dev
	gdb strace ltrace file cppcheck clang-tidy clang-tools bats git python3 nodejs npm
	tmux vim nano less rsync man-db mandoc bash-completion zsh xz-utils zstd bzip2 unzip
	e2fsprogs acl attr uidmap jq curl wget socat netcat-openbsd tcpdump lsof expect screen
)

# What dev needs on the machine itself, and all that it installs there.
machine_packages() {
	local want=()
	command -v mmdebstrap >/dev/null || want+=(mmdebstrap)
	command -v pasta >/dev/null || want+=(passt)
	[ ${#want[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "${want[*]} is missing, and there is no apt-get to install it with"
	say "installing ${want[*]} on this machine"
	apt_install "${want[@]}" || { apt-get -q update >&2 && apt_install "${want[@]}"; } ||
		die "cannot install ${want[*]}: no mirror answers, or apt-get failed (see above)"
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y \
		--no-install-recommends "$@" >&2 </dev/null
}

tree_suite() {
	local id codename
	id=$(. /etc/os-release && echo "$ID")
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	if [ -n "${DEV_SUITE:-}" ]; then
		echo "$DEV_SUITE"
	elif [ "$id" = debian ] && [ -n "$codename" ]; then
		echo "$codename"
	else
		die "this machine is $id, not a Debian release: set DEV_SUITE and DEV_MIRROR"
	fi
}

# Prints the machine's own sources of Debian for this release. Other people's
# repositories are told by the origin in their signed Release file.
debian_indexes() {
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's/^Debian|//p' | sort -u
}

tree_sources() {
	local suite=$1 own line uri release component
	local key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e "$key" ] && key="[signed-by=$key] " || key=
	case ${DEV_MIRROR:-} in
	'') ;;
	deb\ *) printf '%s\n' "$DEV_MIRROR"; return ;;
	*) echo "deb $key$DEV_MIRROR $suite main"; return ;;
	esac
	own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ -n "$(debian_indexes)" ] || apt-get -q update >&2 || :
	while IFS='|' read -r uri release component; do
		case $component in main) ;; *) continue ;; esac
		case $release in
		"$own" | "$own-updates" | "$own-security" | "$own/updates") release=$suite${release#"$own"} ;;
		"$suite" | "$suite-updates" | "$suite-security") ;;
		*) continue ;;
		esac
		echo "deb $key$uri $release $component"
	done < <(debian_indexes) | sort -u
}

# apt's way to the network (proxies, time-outs), as this machine has it.
tree_apt_options() {
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries|ForceIPv4)(::[A-Za-z-]+)* ' || :
}

# Sets TREE; makes it if it is not there yet. The lock makes a second run wait.
tree_need() {
	local suite key
	suite=$(tree_suite) || exit 1
	key=$(printf '%s\n' "$suite" "${DEV_MIRROR:-}" "${PACKAGES[@]}" | sha256sum | cut -c1-12)
	TREE=$CACHE/tree-$suite-$key
	[ -d "$TREE" ] && return
	local free
	free=$(($(stat -f -c '%a * %S / 1073741824' "$CACHE")))
	[ "$free" -ge "$SPACE_GIB" ] || die "no space: $CACHE has $free GiB free, the tree and the test hosts need $SPACE_GIB GiB"
	machine_packages
	make_once "$TREE" 'makes the tree' tree_make "$suite"
}

# make_once DIRECTORY WHAT COMMAND...: has COMMAND make this directory of the cache, if it is
# not there, in one run at a time; others say that they wait for one that does WHAT.
make_once() {
	local dir=$1 what=$2 name=${1##*/} lock
	shift 2
	[ ! -d "$dir" ] || return 0
	exec {lock}>"$CACHE/lock/${name%%-*}"
	flock -n "$lock" || { say "waiting for another run that $what"; flock "$lock"; }
	[ -d "$dir" ] || "$@"
	exec {lock}>&-
}

# What a run that was killed has left of a tree, packages, or an image: nobody holds the lock.
tree_sweep() {
	local lock name
	for name in tree packages vm; do
		exec {lock}>"$CACHE/lock/$name"
		! flock -n "$lock" || rm -rf --one-file-system "$CACHE/$name"-*.new.*
		exec {lock}>&-
	done
}

tree_make() {
	local suite=$1 options=() line
	tree_sources "$suite" >"$RUN/sources"
	[ -s "$RUN/sources" ] || die "no mirror: apt on this machine has no source of Debian $suite; set DEV_MIRROR"
	while read -r line; do options+=("--aptopt=$line"); done < <(tree_apt_options)
	say "making the tree of Debian $suite from:"
	sed 's/\[.*\] //; s/^/dev:   /' "$RUN/sources" >&2
	say "once; some minutes, 2.5 GiB in $CACHE"
	setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc mmdebstrap --variant=minbase --skip=check/empty \
		--include="$(IFS=,; echo "${PACKAGES[*]}")" --dpkgopt=force-unsafe-io \
		--aptopt='Acquire::Retries "3"' "${options[@]}" \
		"$suite" "$TREE.new.$$" - <"$RUN/sources" >&2 || {
		rm -rf --one-file-system "$TREE.new.$$"
		die "mmdebstrap failed (see above): no mirror answers, or no space (it needs $SPACE_GIB GiB)"
	}
	mv "$TREE.new.$$" "$TREE" || die "cannot move the tree into place"
	say "the tree is made: $(du -sh "$TREE" | cut -f1)"
}
