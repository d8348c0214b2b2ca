# The build from the sources, as the README and HACKING tell it: in the tree and out of it, with
# each directory elsewhere. Whoever builds is no root, so that nothing can be put outside of DESTDIR.
# host: own
# setup: no
# check: all
load lib

DEST=/home/builda/dest

setup_file() {
	make_person builda
	echo 'builda ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/builda
	cp -r /usr/src/clsecure /home/builda/src
	chown -R builda: /home/builda/src
	chmod -R u+w /home/builda/src
	as_person builda sh -c 'cd src && ./autogen.sh' >/dev/null 2>&1
	touch /home/builda/begun
	export BATS_TEST_TIMEOUT=900
}

# configured DIR ARGUMENTS...: a build outside of the sources, hardly optimised, warnings as errors.
configured() {
	local dir=$1
	shift
	as_person builda mkdir -p "$dir"
	as_person builda env -C "/home/builda/$dir" ../src/configure -q --enable-werror CFLAGS=-O1 "$@"
}

in_build() {
	as_person builda env -C "/home/builda/$1" make -s -j2 "${@:2}"
}

files() {
	(cd "$DEST" && find . ! -type d -printf '%P\n' | sort)
}

# What each build installs, from its directories.
expected() {
	local bin=$1 libexec=$2 pam=$3 nss=$4 share=$5 lib=$6 units=$7 p
	printf '%s\n' "$bin/clsecure" "$pam/pam_clsecure.so" "$nss/libnss_clsecure.so.2" "$lib/tmpfiles.d/clsecure.conf"
	for p in clsecure-gateway $(sed -n 's/^pkglibexec_PROGRAMS += *//p' /usr/src/clsecure/launcher/*/Makemodule.am); do
		printf '%s\n' "$libexec/clsecure/$p"
	done
	for p in /usr/src/clsecure/docs/man/*; do
		printf '%s\n' "$share/man/man${p##*.}/${p##*/}"
	done
	[ -z "$units" ] || printf "$units/%s\n" clsecure.slice clsecured.service clsecured.socket
	printf "$share/%s\n" bash-completion/completions/clsecure zsh/vendor-completions/_clsecure \
		clsecure/setup/{pam-clsecure,sshd.conf,user@.conf,user-runtime-dir@.conf} doc/clsecure/clsecure.conf.sample \
		clsecure/domains.d/claude.conf
}

@test "out of the tree, every directory elsewhere: DESTDIR holds it all, uninstall leaves nothing" {
	local n=/opt/cls
	configured other --prefix=$n --with-securedir=/opt/pam --with-nssdir=/opt/nss --with-systemdunitdir=/opt/units \
		--with-uid-range=200000-200999
	in_build other install DESTDIR=$DEST
	run comm -3 <(files) <(expected opt/cls/bin opt/cls/libexec opt/pam opt/nss opt/cls/share opt/cls/lib opt/units | sort)
	assert_output ''
	[ -x "$DEST/opt/cls/libexec/clsecure/clsecure-gateway" ]
	# the programs know where they are, and where nothing depends on the prefix
	run strings -a "$DEST/opt/cls/libexec/clsecure/clsecured"
	assert_has /opt/cls/libexec/clsecure
	assert_has /var/lib/clsecure
	assert_has /run/clsecure
	refute_has /usr/libexec
	grep -q 'ExecStart=/opt/cls/libexec/clsecure/clsecured' "$DEST/opt/units/clsecured.service"
	in_build other uninstall DESTDIR=$DEST
	run files
	assert_output ''
}

@test "--without-systemd installs no units" {
	configured nosystemd --without-systemd
	run as_person builda env -C /home/builda/nosystemd make -n install DESTDIR=$DEST
	assert_status 0
	assert_has clsecure-keeper
	refute_has clsecured.socket
}

@test "a range of uids that cannot be is refused" {
	for range in 1000-2000 70000 99999-70000 60000-70000 70000-900000 a-b 70000-; do
		run configured range "--with-uid-range=$range"
		[ "$status" -ne 0 ] || fail "$range"
		assert_has "--with-uid-range=$range"
	done
}

@test "nothing is written into the sources by a build outside of them" {
	run as_person builda env -C /home/builda/src find . -newer ../begun -type f
	assert_output ''
}

@test "as it is told: ./autogen.sh && ./configure && make && make check && sudo make install" {
	grep -qF './autogen.sh && ./configure && make && sudo make install' /usr/src/clsecure/README.md
	as_person builda sh -c 'cd src && git init -q . && git add -A'
	run as_person builda sh -c 'cd src && ./autogen.sh && ./configure && make -j2 && make -j2 check'
	assert_status 0
	assert_has '# FAIL:  0'
	refute_has 'warning:'
	run as_person builda git -C src ls-files --others --exclude-standard
	assert_output ''
	run as_person builda sh -c 'cd src && sudo make install'
	assert_status 0
	run clsecure setup --yes
	assert_status 0
	run clsecure doctor
	assert_status 0
	as_person builda sh -c 'mkdir p && clsecure add p'
	run as_person builda clsecure exec p id -un
	assert_output claude-worker-p
}
