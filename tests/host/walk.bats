# One system call after the other fails in a login: the whole wall or no program, with a reason, and
# nothing is left.  walk.py says which calls; walk-all.bats takes more.
# host: own
load lib
load walk

setup_file() {
	prepare_all
}

teardown() {
	keeper_back
}

@test "of the keeper" {
	inject_into_keeper
	walk keeper 1 8 few
}

@test "of su, with pam_clsecure in it" {
	walk su 1 6 few
}

@test "of su on a terminal" {
	walk su-tty 1 4 few
}
