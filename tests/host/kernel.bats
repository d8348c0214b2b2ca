# The kernel's own selftests, those of Linux 6.1, in columns: outside by root and by a person, inside by her
# project's worker. What kernel.denied lists works outside and is denied inside; all else is as the person has it.
# packages: linux-source-6.1
# check: all
load lib

SETS=(clone3 landlock mount_setattr openat2 pidfd seccomp)
COLUMNS=(root person worker)

setup_file() {
	export BATS_TEST_TIMEOUT=900
	local column
	make_person kay
	make_project kay kernel >/dev/null
	selftests_make
	as_person kay clsecure add /home/kay/kernel --name kernel
	for column in "${COLUMNS[@]}"; do
		column $column >"$BATS_FILE_TMPDIR/$column"
	done
}

teardown_file() {
	as_person kay clsecure remove --yes kernel
}

# Compiles them and puts them into the project, each set in a directory of its own; root has a copy. Left out are a
# benchmark, and what needs CAP_CHECKPOINT_RESTORE, which a container has not.
selftests_make() {
	local source=/var/tmp/selftests/linux-source-6.1/tools/testing/selftests set program
	mkdir -p /var/tmp/selftests
	tar -C /var/tmp/selftests -xf /usr/src/linux-source-6.1.tar.xz --wildcards \
		'linux-source-6.1/tools/testing/selftests/*' 'linux-source-6.1/tools/include/*'
	for set in "${SETS[@]}"; do
		make -s -C "$source/$set" >"$BATS_FILE_TMPDIR/make.log" 2>&1 || fail "$set: $(cat "$BATS_FILE_TMPDIR/make.log")"
		mkdir -p "/home/kay/kernel/$set"
		find "$source/$set" -maxdepth 1 -type f -perm /100 -exec cp -t "/home/kay/kernel/$set" {} +
	done
	rm -f /home/kay/kernel/{seccomp/seccomp_benchmark,clone3/clone3_cap_checkpoint_restore}
	cp -r /home/kay/kernel /srv/kernel
	chown -R kay: /home/kay/kernel
}

at_root() { "$@"; }
at_person() { as_person kay "$@"; }
at_worker() { as_person kay clsecure exec kernel "$@"; }

# column WHO: a line for each test, "PROGRAM NUMBER ok|not|skip", and one of how each program ended.
column() {
	local program log=$BATS_FILE_TMPDIR/log status dir=/home/kay/kernel
	[ "$1" != root ] || dir=/srv/kernel
	for program in $dir/*/*; do
		[ -f "$program" ] && [ "${program##*/}" != true ] || continue
		status=0
		"at_$1" env -C "${program%/*}" timeout -k 2 120 "$program" </dev/null >"$log" 2>&1 || status=$?
		awk -v program="${program##*/}" -v status=$status '
			/^ok [0-9]+/ { print program, $2, tolower($0) ~ /# *skip/ ? "skip" : "ok" }
			/^not ok [0-9]+/ { print program, $3, "not" }
			END { if (status > 123) print program, "end", status }' "$log"
	done
}

# results COLUMN: PROGRAM NUMBER RESULT of what is denied, or with -v of all else
results() {
	awk -v other="${2:-}" '
		NR == FNR { if ($0 !~ /^#/ && NF) denied[$1 " " $2]; next }
		{ in_list = ($1 " " $2) in denied || ($1 " *") in denied }
		(other != "") != in_list' "$BATS_TEST_DIRNAME/kernel.denied" "$BATS_FILE_TMPDIR/$1"
}

@test "the suites ran in each column" {
	local column
	for column in "${COLUMNS[@]}"; do
		awk -v column=$column '{ all[$1]++; n[$1] += $3 == "ok"; skip[$1] += $3 == "skip" }
			END { for (p in all) print "#", p, column, n[p], "of", all[p], "ok,", skip[p], "skipped" }' "$BATS_FILE_TMPDIR/$column"
	done | sort >&3
	for column in "${COLUMNS[@]}"; do
		[ "$(wc -l <"$BATS_FILE_TMPDIR/$column")" -ge 300 ] || fail "$column: $(cat "$BATS_FILE_TMPDIR/$column")"
		[ "$(cut -d' ' -f1 "$BATS_FILE_TMPDIR/$column" | sort -u | wc -l)" -ge 15 ]
	done
	[ "$(grep -c ' ok$' "$BATS_FILE_TMPDIR/root")" -ge 300 ]
}

@test "what kernel.denied lists works by root outside, and not inside" {
	results root >"$BATS_TEST_TMPDIR/root"
	results worker >"$BATS_TEST_TMPDIR/worker"
	[ -s "$BATS_TEST_TMPDIR/worker" ]
	run grep ' ok$' "$BATS_TEST_TMPDIR/worker"
	assert_output ''
	# that shows something only of a program that could have worked
	local program
	for program in $(sed -n 's/^\([a-z0-9_]*\) .*/\1/p' "$BATS_TEST_DIRNAME/kernel.denied" | sort -u); do
		grep -q "^$program .* ok$" "$BATS_TEST_TMPDIR/root" || fail "$program does not work outside: $(grep "^$program " "$BATS_TEST_TMPDIR/root")"
	done
}

@test "all else is inside as it is outside" {
	results person -v >"$BATS_TEST_TMPDIR/person"
	results worker -v >"$BATS_TEST_TMPDIR/worker"
	run diff "$BATS_TEST_TMPDIR/person" "$BATS_TEST_TMPDIR/worker"
	assert_output ''
}
