#!/bin/sh
# What pam_clsecure.so exports, imports and needs.  It lives in other programs: what it must never do
# (end them, leave a bus connection in them) it cannot even call.
set -u
module=pam_clsecure.so
failed=0
complain() {
	echo "pam-symbols: $*" >&2
	failed=1
}

[ -f "$module" ] || { echo "pam-symbols: no $module" >&2; exit 1; }
# A sanitizer's run-time imports what it likes.
nm -D "$module" | grep -q __asan_ && exit 77

exports=$(nm -D --defined-only "$module" | awk '{ print $3 }' | sort | tr '\n' ' ')
wanted='pam_sm_acct_mgmt pam_sm_authenticate pam_sm_chauthtok pam_sm_close_session pam_sm_open_session pam_sm_setcred '
[ "$exports" = "$wanted" ] || complain "exports: $exports"

imports=" $(nm -D --undefined-only "$module" | awk '{ sub(/@.*/, "", $NF); print $NF }' | tr '\n' ' ') "
# (setenv, fork and _exit are those of as_person(), whose child they are called in.)
for name in exit abort _Exit quick_exit __assert_fail err errx system popen putenv setlocale signal \
	openlog vfork pthread_create; do
	case $imports in
	*" $name "*) complain "imports $name" ;;
	esac
done

needed=$(readelf -d "$module" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
for library in $needed; do
	case $library in
	libc.so.* | libpam.so.* | ld-linux*) ;;
	*) complain "needs $library" ;;
	esac
done
readelf -d "$module" | grep -q NODELETE || complain "may be unloaded while its fork handler stands"
exit $failed
