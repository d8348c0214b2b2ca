# What the README says, run as it stands there.
load lib

README=/usr/src/clsecure/README.md

setup_file() {
	make_person reada
	make_project reada app >/dev/null
	printf 'all:\n\t@echo made\n' >/home/reada/app/Makefile
	as_person reada clsecure add /home/reada/app Command=/opt/claude/bin/claude
}

teardown_file() {
	as_person reada clsecure remove --yes app
}

# said COMMAND: it is in the README, on a line of its own before any comment.
said() {
	sed -n 's/^    \([^#]*[^# ]\) *\(#.*\)*$/\1/p' "$README" | grep -qxF "$1" || fail "the README does not say: $1"
}

in_app() {
	as_person reada env -C /home/reada/app "$@"
}

# The build is run by build.bats, dev by dev.bats, the rest here.
@test "every command of the README is one that a test runs" {
	local known='sudo ./dev shell [PATH]
sudo ./dev check
sudo apt install gcc make autoconf automake pkg-config libpam0g-dev libseccomp-dev libcap-dev nettle-dev libjson-c-dev libsystemd-dev libevent-dev libidn2-dev libcmocka-dev passt
./autogen.sh && ./configure && make && sudo make install
sudo clsecure setup
sudo clsecure doctor
clsecure
clsecure shell
clsecure exec -- make
ssh claude@localhost -t app
ssh claude-worker-app@localhost
clsecure info'
	run sed -n 's/^    \([^#]*[^# ]\) *\(#.*\)*$/\1/p' "$README"
	assert_output "$known"
}

@test "the build that the README tells is the one that made this host" {
	said './autogen.sh && ./configure && make && sudo make install'
	[ -x /usr/bin/clsecure ]
	grep -q autogen.sh /usr/src/clsecure/tests/host/dev/tree-build
}

@test "the packages that it names are those of this host, which compiled it" {
	local packages
	packages=$(sed -n 's/^    sudo apt install //p' $README)
	[ -n "$packages" ]
	# shellcheck disable=SC2086
	dpkg -s $packages >/dev/null
}

@test "setup says what it would change; a second one has nothing to do; doctor finds nothing wrong" {
	run clsecure setup --yes
	assert_status 0
	run clsecure doctor
	assert_status 0
}

@test "clsecure runs Claude Code" {
	run in_app clsecure -- --version
	assert_status 0
	assert_has 'Claude Code'
}

@test "clsecure shell" {
	run on_pty as_person reada env -C /home/reada/app sh -c '(sleep 2; echo "pwd; exit") | script -qec "clsecure shell" /dev/null'
	assert_has /home/reada/app
}

@test "clsecure exec -- make" {
	run in_app clsecure exec -- make
	assert_status 0
	assert_has made
}

@test "ssh claude@localhost -t app" {
	run bash -c 'source "$1/lib.bash"; echo "id -un; pwd; exit" | ssh_as reada -tt claude@localhost app' - "$BATS_TEST_DIRNAME"
	assert_has claude-worker-app
	assert_has /home/reada/app
}

@test "ssh claude-worker-app@localhost" {
	run ssh_as reada claude-worker-app@localhost 'id -un'
	assert_output claude-worker-app
}

@test "clsecure info; Network=full is said where it is refused or taken" {
	run in_app clsecure info
	assert_status 0
	assert_has 'Network'
	run in_app clsecure set app Network=full
	assert_status 0
	run in_app clsecure set app Network=
	assert_status 0
}

@test "scp claude-worker-app@localhost:app/FILE ." {
	grep -q 'scp claude-worker-app@localhost:app/FILE .' $README
	run in_app scp -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		claude-worker-app@localhost:app/Makefile copied
	assert_status 0
	cmp /home/reada/app/Makefile /home/reada/app/copied
}
