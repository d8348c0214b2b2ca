# add, set and remove killed at some of the system calls that change something: as before or as
# after, and the same command works again.  killed-all.bats takes each.
# host: own
load lib
load killed

setup_file() {
	prepare_all
}

@test "add" {
	killed add 1/5 changes
}

@test "set" {
	killed set 1/2 changes
}

@test "remove" {
	killed remove 1/4 changes
}
