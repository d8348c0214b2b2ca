# dev bench: what clsecure costs, measured in a test host by tests/bench. What it
# is compared with and the tests do not need is a layer of packages. Sourced by dev.
# shellcheck shell=bash

command_bench() {
	run_begin
	DEV_PACKAGES="firejail tinyproxy-bin slirp4netns ${DEV_PACKAGES:-}"
	host_start
	host_run python3 /usr/src/clsecure/tests/bench/bench.py "$@"
}
