# dev bench: what clsecure costs, measured in a test host by tests/bench. What it
# is compared with and the tests do not need is a layer of its own. Sourced by dev.
# shellcheck shell=bash

BENCH_PACKAGES=(firejail)

# Sets BENCH; fetches it with this machine's network if it is not there yet.
bench_need() {
	local key lock work=$RUN/bench
	key=$(printf '%s\n' "$TREE" "${BENCH_PACKAGES[@]}" | sha256sum | cut -c1-12)
	BENCH=$CACHE/bench-$key
	[ ! -d "$BENCH" ] || return 0
	exec {lock}>"$CACHE/lock/bench"
	flock "$lock"
	if [ ! -d "$BENCH" ]; then
		say "fetching ${BENCH_PACKAGES[*]} (once)"
		mkdir -p "$work/layer"
		SRC=$work DEV_TREE_NET=--uts tree_run "$work" bash -ec '
			apt-get -q update
			apt-get -q -y --no-install-recommends --download-only install "$@"
			for package in /var/cache/apt/archives/*.deb; do
				dpkg-deb -x "$package" /b/layer
			done' - "${BENCH_PACKAGES[@]}" >&2 || die "cannot fetch ${BENCH_PACKAGES[*]} (see above)"
		mv "$work/layer" "$BENCH" || die "no space in $CACHE"
	fi
	exec {lock}>&-
}

command_bench() {
	run_begin
	tree_need
	bench_need
	host_start
	host_run python3 /usr/src/clsecure/tests/bench/bench.py "$@"
}
