# For killed.bats and killed-all.bats.
# shellcheck shell=bash

prepare_all() {
	local i
	make_person victim
	for i in 1 bystander; do
		as_person victim mkdir -p kill$i
		mkdir -p /run/inject/kill$i
	done
	as_person victim clsecure add killbystander --name bystander MaxSessions=2
	touch /var/lib/clsecure/projects/bystander/home/file
	gcc -O1 -Wall -Werror -o /run/inject/inject "$BATS_TEST_DIRNAME/inject.c" -lseccomp
}

# killed add|set|remove PART/PARTS changes|all
killed() {
	timeout $((BATS_TEST_TIMEOUT - 5)) python3 "$BATS_TEST_DIRNAME/killed.py" "$@"
}
