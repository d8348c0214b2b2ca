# What programs that are not ours say of it: hardening-check, valgrind, pamtester.
# packages: devscripts valgrind
# check: all
load lib

W=claude-worker-chapp

setup_file() {
	export BATS_TEST_TIMEOUT=900
	make_person chris
	make_person other
	make_project chris chapp >/dev/null
	as_person chris clsecure add /home/chris/chapp --name chapp
}

# Every program and module that clsecure installs.
installed() {
	local file
	for file in /usr/bin/clsecure /usr/libexec/clsecure/* /usr/lib/*/libnss_clsecure.so.2 /usr/lib/*/security/pam_clsecure.so; do
		[ "$(head -c 4 "$file")" != $'\x7fELF' ] || echo "$file"
	done
}

@test "hardening-check misses nothing in any program or module" {
	local file
	local -a not
	# It looks for CET in the whole program, and Debian's own start files have none; of a static program it sees no
	# symbols. tests/unit/hardening.sh looks at each object, and at that program's symbols before they go.
	[ "$(installed | wc -l)" -ge 8 ] || fail "$(installed)"
	for file in $(installed); do
		not=(--nocfprotection)
		readelf -dW "$file" | grep -q NEEDED || not+=(--nopie --nostackprotector)
		run hardening-check "${not[@]}" "$file"
		[ "$status" -eq 0 ] || fail "$file: $output"
	done
}

# What valgrind 3.19 cannot run whole: it knows no openat2(2), no clone(2) as clsecure calls it, no TIOCGPTPEER, and a
# filter is its own end. Of these only errors in memory count, as far as they come; ASan's build has them whole.
UNFIT=(domains filter person policy project relay sources toolchains)

@test "valgrind finds no error and no leak in the unit tests" {
	local program bad='' fit=0 status log=$BATS_TEST_TMPDIR/log
	local -a call
	cp -r /usr/src/clsecure /home/chris/src
	chmod -R u+w /home/chris/src
	chown -R chris: /home/chris/src
	as_person chris sh -ec 'cd src; ./autogen.sh; ./configure -q CFLAGS="-g -O1"; make -s -j2 check TESTS=' >"$log" 2>&1 || fail "$(tail "$log")"
	for program in $(cd /home/chris/src && find . -maxdepth 1 -name 'test-*' -type f -perm /100); do
		status=0
		call=(valgrind -q --error-exitcode=99 --child-silent-after-fork=yes --leak-check=full --errors-for-leak-kinds=definite)
		if [[ " ${UNFIT[*]} " = *" ${program#./test-} "* ]]; then
			call+=(--leak-check=no)
		else
			fit=$((fit + 1))
		fi
		as_person chris env -C src srcdir=. "${call[@]}" "$program" >"$log" 2>&1 </dev/null || status=$?
		[ $status = 0 ] || { [[ ${call[*]} = *leak-check=no ]] && [ $status != 99 ]; } ||
			bad+="== $program: $status"$'\n'"$(tail -n 40 "$log")"$'\n'
	done
	[ -z "$bad" ] || fail "$bad"
	[ $fit -ge 20 ] || fail "only $fit"
}

# pam SERVICE NAME OPERATION...
pam() { timeout 20 pamtester "$@" </dev/null; }

nothing_runs() { [ -z "$(pgrep -f '^clsecure-keeper chapp')" ]; }

# pamtester opens and closes in one process, which is inside when it closes. What other modules say to that is theirs.
@test "pamtester: by every service that is allowed a session opens, and nothing is left of it" {
	local service
	for service in su su-l login runuser runuser-l sudo cron; do
		run pam $service $W acct_mgmt open_session close_session
		assert_has 'account management done'
		assert_has 'successfully opened a session'
		eventually 5 nothing_runs
	done
}

@test "pamtester: what is not allowed has neither account nor session" {
	local service name
	for service in chpasswd systemd-user other passwd; do
		run pam $service $W open_session
		[ "$status" -ne 0 ] || fail "$service: $output"
	done
	for name in claude clsecure-egress clsecure-pasta; do
		for service in su login cron; do
			run pam $service $name open_session
			[ "$status" -ne 0 ] || fail "$name by $service: $output"
		done
	done
	nothing_runs
}

@test "pamtester: a person's own session is untouched" {
	run pam su-l chris acct_mgmt open_session close_session
	assert_status 0
	run pam login other acct_mgmt open_session close_session
	assert_status 0
	nothing_runs
}
