#!/bin/sh
# The programs and modules as they were linked: position-independent, relocations read-only from the
# start (full RELRO), no executable stack, nothing writable and executable, no text relocations, no
# path to libraries of its own; and the compiler's part in every object.
# $HARDENED names them; $CFLAGS_WANTED is what configure found the compiler to take.
set -u
failed=0
complain() {
	echo "hardening: $*" >&2
	failed=1
}

[ -n "${HARDENED:-}" ] || { echo "hardening: HARDENED is empty" >&2; exit 1; }

check_file() {
	file=$1
	headers=$(readelf -hlW "$file") || { complain "readelf cannot read $file"; return; }
	dynamic=$(readelf -dW "$file")
	symbols=$(nm "$file" 2>/dev/null; nm -D "$file" 2>/dev/null)

	echo "$headers" | grep -q 'Type: *DYN ' || complain "$file is not position-independent"
	case $file in
	*.so | *.so.*) ;;
	*) echo "$dynamic" | grep -q 'FLAGS_1.*PIE' || complain "$file is no PIE" ;;
	esac
	echo "$headers" | grep -q GNU_RELRO || complain "$file has no RELRO"
	echo "$dynamic" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' || complain "$file binds lazily (no -z now)"
	echo "$headers" | grep GNU_STACK | grep -q 'RW ' || complain "$file wants an executable stack"
	echo "$headers" | grep -qE 'LOAD .* RWE ' && complain "$file has a segment to write and run"
	echo "$dynamic" | grep -q TEXTREL && complain "$file has text relocations"
	echo "$dynamic" | grep -qE 'RPATH|RUNPATH' && complain "$file has a path to libraries"
	case ${CFLAGS_WANTED:-} in *stack-protector*)
		echo "$symbols" | grep -q __stack_chk_fail || complain "$file has no stack protector" ;;
	esac
	case ${CFLAGS:-} in *-O0*) ;; *)	# FORTIFY takes an optimizer
		echo "$symbols" | grep -E '__[a-z]+_chk' | grep -qv __stack_chk || complain "$file is not fortified" ;;
	esac
}

# No interpreter, no library: nothing of where it starts is its code.
check_static() {
	readelf -lW "$1" | grep -q INTERP && complain "$1 has an interpreter"
	readelf -dW "$1" | grep -q NEEDED && complain "$1 needs a library"
}

# Each object by itself. gcc writes the flags that it was given beside the debug information; clang
# does not. A note says of an object that it was made for CET.
check_objects() {
	for object in $(find . -name '*.o' ! -path './tests/*' ! -name '*test*'); do
		case ${CFLAGS_WANTED:-} in *-fcf-protection*)
			[ "$(uname -m)" != x86_64 ] || readelf -nW "$object" | grep -q 'x86 feature: IBT, SHSTK' ||
				complain "$object has no CET note" ;;
		esac
		producer=$(readelf --debug-dump=info "$object" 2>/dev/null | grep -m 1 'DW_AT_producer.*GNU C.* -') || continue
		for flag in $CFLAGS_WANTED; do
			case "$producer " in
			*" $flag "*) ;;
			*) complain "$object was compiled without $flag" ;;
			esac
		done
	done
}

for file in $HARDENED; do
	check_file "$file"
done
check_static clsecure-shell
check_objects
exit $failed
