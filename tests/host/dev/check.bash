# dev check: the unit tests in three builds, then every tests/host/*.bats in test
# hosts. What a file needs of its host it says in comments at its head:
#   # host: own           a host of its own (it damages it, or reboots it)
#   # setup: no           clsecure is installed there, but not set up (its own host)
#   # configure: ARGS     a build with these arguments (its own host)
#   # host: vm            the virtual machine, which such files share, and once more with
#                         the calls of Linux 5.15 only; only by --all
#   # also: vm            by --all there too
#   # bind: cache         sees dev's cache, to run dev itself (its own host)
#   # bind: cache vm      and in it what the virtual machine is made of
#   # packages: NAME...   Debian packages that the tree does not have (its own host)
#   # ide: yes            code-server and what steers a browser (its own host)
#   # output: yes         keeps files for people in the directory $DEV_OUTPUT (its own host)
#   # check: all          only by --all, since it takes long
# Sourced by dev.
# shellcheck shell=bash

PASSED=0 FAILED=0 SKIPPED=0
FAILURES=()
FILE_SECONDS=1200

command_check() {
	local all='' name='' arg
	for arg; do
		case $arg in
		--all) all=yes ;;
		-*) usage_error "check: unknown option: $arg" ;;
		*) [ -z "$name" ] || usage_error "check takes one NAME"; name=$arg ;;
		esac
	done
	run_begin
	tree_need
	claude_need
	source_need
	if [ -n "$name" ]; then
		check_one "$all" "$name"
	else
		check_units gcc
		check_units clang CC=clang
		check_units sanitizers --enable-sanitizers
		check_bats "$all" "$SRC"/tests/host/*.bats
		[ -z "$all" ] || check_long "${LONG_STEPS[@]}"
	fi
	check_report
}

# NAME is tests/host/NAME.bats, tests/unit/test-NAME.c, or both; a path will do. Or
# it is one of the long steps.
check_one() {
	local all=$1 name=${2##*/} file unit
	if is_long_step "$name"; then
		check_long "$name"
		return
	fi
	name=${name%.bats} name=${name%.c} name=${name#test-}
	file=$SRC/tests/host/$name.bats unit=$SRC/tests/unit/test-$name.c
	[ -e "$file" ] || [ -e "$unit" ] || usage_error "check: there is no tests/host/$name.bats and no tests/unit/test-$name.c"
	[ ! -e "$unit" ] || UNIT_TESTS=test-$name check_units gcc
	[ ! -e "$file" ] || CHECK_NAMED=yes check_bats "$all" "$file"
}

check_report() {
	local status=0 failure
	for failure in "${FAILURES[@]}"; do
		echo "failed: $failure"
	done
	[ "$FAILED" = 0 ] || status=1
	if [ "$SKIPPED" != 0 ] && [ -n "${CI:-}" ]; then
		echo "a skipped test is an error here (CI is set)"
		status=1
	fi
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	exit $status
}

# count PASSED FAILED SKIPPED WHAT
count() {
	PASSED=$((PASSED + $1)) FAILED=$((FAILED + $2)) SKIPPED=$((SKIPPED + $3))
	[ "$2" = 0 ] || FAILURES+=("$4: $2")
}

# The unit tests of one build; a build that fails is one failure.
check_units() {
	local variant=$1 passed failed skipped program seen=0 bad=0 status=0
	shift
	say "unit tests: $variant"
	build_lock
	UNIT_TESTS=${UNIT_TESTS:-} build_step "unit-$variant" "$variant" check "$@" || status=$?
	build_unlock
	while read -r _ passed failed skipped program; do
		echo "unit ($variant) $program: $passed passed, $failed failed, $skipped skipped"
		count "$passed" "$failed" "$skipped" "unit tests ($variant) $program"
		seen=$((seen + 1)) bad=$((bad + failed))
	done < <(grep '^unit-result: ' "$RUN/unit-$variant.log")
	[ $status = 0 ] || [ $bad != 0 ] || count 0 1 0 "build ($variant)"
	[ $seen != 0 ] || [ $status != 0 ] || count 0 1 0 "unit tests ($variant): none ran"
}

header() {
	sed -n "/^#/!q; s/^# $1: *//p" "$2"
}

has_own_host() {
	local what
	for what in host setup configure bind packages ide output; do
		[ -z "$(header $what "$1")" ] || return 0
	done
	return 1
}

# check_bats ALL FILE...: the files that share a host first, each other one alone,
# then those of the virtual machine. CHECK_NAMED: the one that was asked for by name.
check_bats() {
	local all=$1 file shared=() own=() vm=() also=()
	shift
	for file; do
		if [ "$(header host "$file")" = vm ]; then
			[ -z "$all${CHECK_NAMED:-}" ] || vm+=("$file")
			continue
		fi
		[ -z "$all" ] || [ "$(header also "$file")" != vm ] || also+=("$file")
		[ -n "$all${CHECK_NAMED:-}" ] || [ "$(header check "$file")" != all ] || continue
		[ -z "$(header packages "$file")$(header ide "$file")" ] || [ "$(header check "$file")" = all ] ||
			die "${file##*/} asks for more than the tree has, which is for files that say 'check: all'"
		if has_own_host "$file"; then
			own+=("$file")
		else
			shared+=("$file")
		fi
	done
	[ ${#shared[@]} = 0 ] || check_in host "${shared[@]}"
	for file in "${own[@]}"; do
		check_in host "$file"
	done
	vm+=("${also[@]}")
	[ ${#vm[@]} = 0 ] || { check_in vm "${vm[@]}"; check_in vm-5.15 "${vm[@]}"; }
}

# check_in PLACE FILE...: one host for these files, in a subshell: that a host does not
# come up ends only that, and fails each of the files. PLACE is host, vm or vm-5.15.
check_in() {
	local place=$1 label='' file passed failed skipped
	shift
	[ "$place" = host ] || label=" ($place)"
	(
		trap host_stop EXIT
		"check_start_${place%%-*}" "$@"
		for file; do
			check_file "$place" "$file"
		done
	)
	for file; do
		read -r passed failed skipped < <(tap_count "$RUN/${file##*/}.$place.tap")
		count "$passed" "$failed" "$skipped" "tests/host/${file##*/}$label"
		echo "tests/host/${file##*/}$label: $passed passed, $failed failed, $skipped skipped"
	done
}

check_start_host() {
	local arguments
	read -ra arguments < <(header configure "$1")
	case $(header bind "$1") in
	cache*) DEV_HOST_BIND="${DEV_HOST_BIND:-} $CACHE:$CACHE" ;;&
	'cache vm') vm_need ;;
	esac
	DEV_HOST_SETUP=$(header setup "$1")
	DEV_PACKAGES=$(header packages "$1")
	DEV_IDE=$(header ide "$1")
	[ "$(header output "$1")" != yes ] || {
		mkdir -p "$OUTPUT" || die "cannot make $OUTPUT"
		DEV_HOST_BIND="${DEV_HOST_BIND:-} $OUTPUT:$OUTPUT"
	}
	host_start "${arguments[@]}"
}

# What takes its time in a test host takes several times as long in there.
check_start_vm() {
	CHECK_SLOWER=5
	[ "$place" != vm-5.15 ] || DEV_VM_CALLS=5.15
	vm_start
}

check_file() {
	local slower=${CHECK_SLOWER:-1}
	say "tests/host/${2##*/}$label"
	host_exec env ${CI:+CI="$CI"} DEV_CACHE="$CACHE" DEV_OUTPUT="$OUTPUT" DEV_PLACE="$1" DEV_SLOWER="$slower" \
		BATS_TEST_TIMEOUT=$((180 * slower)) timeout -k 5 $((FILE_SECONDS * slower)) \
		bats --tap "/usr/src/clsecure/tests/host/${2##*/}" </dev/null 2>&1 | tee "$RUN/${2##*/}.$1.tap"
}

# Counts a TAP file; a test that is planned and has no line failed.
tap_count() {
	awk '/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
		/^ok / && tolower($0) ~ /# *skip/ { s++; next }
		/^ok / { p++ }
		/^not ok / { f++ }
		END { if (!planned) f++; else if (plan > p + f + s) f = plan - p - s; print p + 0, f + 0, s + 0 }' "$1" 2>/dev/null || echo 0 1 0	# no file: it did not run
}

# What is longer: the archive that a release is, the checkers, and each fuzzer for
# half a minute.
LONG_STEPS=(distcheck cppcheck clang-tidy fuzz)

is_long_step() {
	[[ " ${LONG_STEPS[*]} " == *" $1 "* ]]
}

check_long() {
	local step status variant arguments
	for step; do
		say "$step"
		status=0 variant=gcc arguments=()
		if [ "$step" = fuzz ]; then
			variant=fuzz
			arguments=(CC=clang CFLAGS='-g -O1 -fsanitize=fuzzer-no-link' --enable-fuzzers)
		fi
		build_lock
		build_step "$step" "$variant" "$step" "${arguments[@]}" || status=1
		build_unlock
		echo "$step: $((1 - status)) passed, $status failed, 0 skipped"
		count $((1 - status)) $status 0 "$step"
	done
}
