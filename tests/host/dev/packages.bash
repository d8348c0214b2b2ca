# Debian packages beside those of the tree, for who names them: DEV_PACKAGES, or
# "# packages:" at the head of a file of tests. A layer of the test host, between
# the tree and the installed build, made once by the tree's own apt. Sourced by dev.
# shellcheck shell=bash

# packages_need NAME...: sets EXTRA to their layer; empty if none is named.
packages_need() {
	local names name
	EXTRA=''
	[ $# -gt 0 ] || return 0
	for name; do
		[[ $name =~ ^[a-z0-9][a-z0-9.+-]+$ ]] || usage_error "not a package's name: $name"
	done
	readarray -t names < <(printf '%s\n' "$@" | sort -u)
	EXTRA=$CACHE/packages-$(printf '%s\n' "${TREE##*/}" "${names[@]}" | sha256sum | cut -c1-12)
	make_once "$EXTRA" 'adds packages' packages_add "${names[@]}"
}

# Nothing of this machine but its network is there: what a package does when it is
# installed changes the layer only. What apt fetched and the files that name the
# network do not stay.
packages_add() {
	local new=$EXTRA.new.$$
	say "adding to the tree, once: $*"
	mkdir -p "$new"/{upper,work} "$RUN/none" || die "cannot write into $CACHE"
	SRC=$RUN/none DEV_UPPER=$new DEV_TREE_NET=--uts tree_run "$RUN/none" bash -ec '
		printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d	# starts no service
		chmod 755 /usr/sbin/policy-rc.d
		apt-get -q update
		DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@"
		apt-get clean
		rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/*' - "$@" >&2 ||
		die "cannot install $* (see above): no mirror answers, no such package, or no space"
	rm -f "$new"/upper/etc/{resolv.conf,hosts}
	mv "$new/upper" "$EXTRA" || die "cannot move the packages into place"
	rm -rf --one-file-system "$new"
	say "they are added: $(du -sh "$EXTRA" | cut -f1)"
}
