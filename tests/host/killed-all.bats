# add, set and remove killed at each system call that changes something, as killed.bats does at some.
# host: own
# check: all
load lib
load killed

setup_file() {
	export BATS_TEST_TIMEOUT=600
	prepare_all
}

@test "add" {
	killed add 1/1 changes
}

@test "set" {
	killed set 1/1 changes
}

@test "remove" {
	killed remove 1/1 changes
}
