# The walk of walk.bats over many more calls, and over the start of pasta for Network=full.
# host: own
# check: all
load lib
load walk

setup_file() {
	export BATS_TEST_TIMEOUT=900
	prepare_all
	ip netns add beyond
	ip link add out type veth peer name in netns beyond
	ip addr add 192.0.2.1/24 dev out
	ip link set out up
	ip -n beyond link set in up
	ip route add default via 192.0.2.2
	prepare walkfull Network=full
}

teardown() {
	keeper_back
}

@test "of the keeper" {
	inject_into_keeper
	walk keeper 1 3 many
}

@test "of the keeper with Network=full" {
	inject_into_keeper
	walk keeper 1 1 few walkfull
}

@test "of su, with pam_clsecure in it" {
	walk su 1 3 all
}

@test "of su on a terminal" {
	walk su-tty 1 1 many
}
