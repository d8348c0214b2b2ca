# host: own
# setup: no
# setup and unsetup: what they write, that they take back exactly that, and that the host is unharmed.
load lib

etc() { (cd /etc && find nsswitch.conf pam.d ssh systemd -type f -o -type l | sort | xargs -d '\n' sha256sum); }
modes() { (cd /etc && find nsswitch.conf pam.d -printf '%p %m %u %g\n' | sort); }

setup_file() {
	make_person setann
	export MODULE NSS
	MODULE=$(find /usr/lib -name pam_clsecure.so)
	NSS=$(find /usr/lib -name libnss_clsecure.so.2)
}

# What must answer as before, and soon.
host_unharmed() {
	run timeout 1 getent passwd root
	assert_output root:x:0:0:root:/root:/bin/bash
	run timeout 5 sudo -n -u setann id -un
	assert_output setann
	run timeout 5 su setann -c 'id -un'
	assert_output setann
	run timeout 5 runuser -u setann -- id -un
	assert_output setann
	run ssh_as setann setann@localhost id -un
	assert_output setann
}

@test "a person may not set up" {
	run as_person setann clsecure setup --yes
	assert_status 1
	assert_has 'sudo clsecure setup'
}

@test "before the first setup doctor has one failure" {
	run clsecure doctor
	assert_status 1
	assert_has 'FAIL  setup: clsecure is not set up
      sudo clsecure setup'
	assert_equal "$(grep -c '^FAIL' <<<"$output")" 1
}

@test "--dry-run shows a diff and changes nothing" {
	before=$(etc)
	run clsecure setup --dry-run
	assert_status 0
	assert_has '+++ /etc/pam.d/common-session'
	assert_has '+++ /etc/nsswitch.conf'
	assert_has '+++ /etc/ssh/sshd_config.d/00-clsecure.conf'
	assert_has 'Nothing was changed.'
	assert_equal "$before" "$(etc)"
	[ ! -e /var/lib/clsecure/armed ]
}

@test "without a terminal and without --yes nothing is changed" {
	before=$(etc)
	run clsecure setup </dev/null
	assert_status 1
	assert_has --yes
	assert_equal "$before" "$(etc)"
}

@test "a configuration that is not understood is refused, with the remedy, and nothing is changed" {
	cp -a /etc/ssh/sshd_config /etc/nsswitch.conf "$BATS_TEST_TMPDIR"
	before=$(etc)
	sed -i 's/^Include/#Include/' /etc/ssh/sshd_config
	run clsecure setup --yes
	assert_status 2
	assert_has 'Include /etc/ssh/sshd_config.d/*.conf'
	cp -a "$BATS_TEST_TMPDIR/sshd_config" /etc/ssh/sshd_config
	sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
	run clsecure setup --yes
	assert_status 2
	assert_has UsePAM
	cp -a "$BATS_TEST_TMPDIR/sshd_config" /etc/ssh/sshd_config
	sed -i 's/^passwd:.*/passwd: files [NOTFOUND=return] systemd/' /etc/nsswitch.conf
	run clsecure setup --yes
	assert_status 2
	assert_has return
	cp -a "$BATS_TEST_TMPDIR/nsswitch.conf" /etc/nsswitch.conf
	mv /etc/nsswitch.conf /etc/nsswitch.real
	ln -s nsswitch.real /etc/nsswitch.conf
	run clsecure setup --yes
	[ "$status" -ne 0 ]
	assert_has 'symbolic link'
	mv /etc/nsswitch.real /etc/nsswitch.conf
	assert_equal "$before" "$(etc)"
}

@test "an sshd that would refuse the drop-in keeps it out" {
	before=$(etc)
	mv /usr/sbin/sshd /usr/sbin/sshd.real
	printf '#!/bin/sh\necho "no such option" >&2\nexit 255\n' >/usr/sbin/sshd
	chmod 755 /usr/sbin/sshd
	run clsecure setup --yes
	mv /usr/sbin/sshd.real /usr/sbin/sshd
	[ "$status" -ne 0 ]
	assert_has 'no such option'
	assert_equal "$before" "$(etc)"
}

@test "a program that others can change is refused" {
	chmod g+w /usr/libexec/clsecure/clsecure-keys
	run clsecure setup --yes
	chmod g-w /usr/libexec/clsecure/clsecure-keys
	assert_status 1
	assert_has clsecure-keys
}

@test "a person who holds /etc does not keep setup out" {
	as_person setann flock /etc sleep 15 3>&- &
	eventually 5 sh -c '! flock -n /etc true'
	run clsecure setup --dry-run
	assert_status 0
}

# refuse_enable yes|no: systemctl does not enable a unit
refuse_enable() {
	if [ "$1" = yes ]; then
		mv /usr/bin/systemctl /usr/bin/systemctl.real
		printf '#!/bin/sh\n[ "$1" != enable ] || exit 1\nexec /usr/bin/systemctl.real "$@"\n' >/usr/bin/systemctl
		chmod 755 /usr/bin/systemctl
	else
		mv /usr/bin/systemctl.real /usr/bin/systemctl
	fi
}

@test "a setup that fails takes back what it did, and not what was there" {
	before=$(etc)
	refuse_enable yes
	run clsecure setup --yes
	assert_status 1
	assert_has 'systemctl enable'
	assert_equal "$before" "$(etc)"
	run getent passwd claude
	assert_status 2
	refuse_enable no
	clsecure setup --yes -q
	once=$(etc)
	refuse_enable yes
	run clsecure setup --yes
	assert_status 1
	run getent passwd claude
	assert_status 0
	assert_equal "$once" "$(etc)"
	# but where PAM was not whole no name is left
	sed -i /clsecure/d /etc/pam.d/su
	run clsecure setup --yes
	assert_status 1
	run getent passwd claude
	assert_status 2
	refuse_enable no
	clsecure setup --yes -q
	assert_equal "$once" "$(etc)"
	clsecure unsetup --yes -q
	assert_equal "$before" "$(etc)"
}

@test "setup, setup again, unsetup: /etc is as before, modes and all" {
	before=$(etc) modes=$(modes)
	run clsecure setup --yes
	assert_status 0
	once=$(etc)
	[ "$once" != "$before" ]
	assert_equal "$modes" "$(modes | grep -v '^pam.d/clsecure ')"
	run getent passwd claude
	assert_match '^claude:'
	run clsecure setup --yes
	assert_status 0
	assert_equal "$once" "$(etc)"
	host_unharmed
	run clsecure unsetup --yes
	assert_status 0
	assert_equal "$before" "$(etc)"
	run getent passwd claude
	assert_status 2
	run systemctl is-enabled clsecured.socket
	assert_output disabled
	host_unharmed
	run clsecure unsetup --yes
	assert_status 0
	assert_has 'not set up'
}

@test "what others changed meanwhile stays" {
	clsecure setup --yes -q
	echo 'session optional pam_echo.so # local' >>/etc/pam.d/common-session
	sed -i 's/^hosts:.*/hosts: files dns mymachines/' /etc/nsswitch.conf
	sed -i 's/^passwd:.*/& extra/' /etc/nsswitch.conf
	echo '# local' >>/etc/ssh/sshd_config.d/00-clsecure.conf
	run clsecure unsetup --yes
	assert_status 0
	run tail -n 1 /etc/pam.d/common-session
	assert_output 'session optional pam_echo.so # local'
	run grep -c clsecure /etc/pam.d/common-session /etc/nsswitch.conf
	refute_has ':1'
	run grep -E '^(hosts|passwd):' /etc/nsswitch.conf
	assert_has 'mymachines'
	assert_has 'systemd extra'
	[ ! -e /etc/ssh/sshd_config.d/00-clsecure.conf ]
	run tail -n 1 /etc/ssh/sshd_config.d/00-clsecure.conf.clsecure-saved
	assert_output '# local'
	sed -i '/# local$/d' /etc/pam.d/common-session
	sed -i 's/ extra$//' /etc/nsswitch.conf
	rm /etc/ssh/sshd_config.d/00-clsecure.conf.clsecure-saved
}

@test "pam-auth-update keeps our lines, and they stay the last" {
	clsecure setup --yes -q
	printf 'Name: x\nDefault: yes\nPriority: 0\nSession-Type: Additional\nSession:\n\toptional pam_echo.so\n' >/usr/share/pam-configs/x
	DEBIAN_FRONTEND=noninteractive pam-auth-update --package
	run tail -n 1 /etc/pam.d/common-session
	assert_has pam_clsecure.so
	run grep -c pam_echo /etc/pam.d/common-session
	assert_output 1
	DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove x
	rm /usr/share/pam-configs/x
	run grep -c pam_clsecure /etc/pam.d/common-session
	assert_output 1
}

@test "the host is unharmed with the module's file gone, and a worker is refused" {
	clsecure setup --yes -q
	make_project setann app
	as_person setann clsecure add app
	mv "$MODULE" "$MODULE.away"
	host_unharmed
	run timeout 10 runuser -u claude-worker-app -- id
	gone=$status
	mv "$MODULE.away" "$MODULE"
	[ "$gone" -ne 0 ]
	refute_has 'uid='
}

@test "the host is unharmed with the NSS module's file gone" {
	mv "$NSS" "$NSS.away"
	host_unharmed
	mv "$NSS.away" "$NSS"
}

@test "the host is unharmed with the registry gone, garbage, a FIFO, or not to be entered" {
	cd /var/lib/clsecure
	for damage in 'rm -r registry' 'rm -r registry; echo x >registry' 'rm -r registry; mkfifo registry' 'chmod 0 registry' 'rm armed; mkfifo armed'; do
		cp -a registry keep
		cp -a armed keep-armed
		bash -c "$damage"
		host_unharmed
		rm -rf registry armed
		mv keep registry
		mv keep-armed armed
	done
	run getent passwd claude-worker-app
	assert_status 0
}

@test "unsetup disarms first: no name is left without a wall" {
	run clsecure unsetup --yes
	assert_status 0
	[ ! -e /var/lib/clsecure/armed ]
	run getent passwd claude-worker-app
	assert_status 2
	clsecure setup --yes -q
	run getent passwd claude-worker-app
	assert_status 0
}

@test "unsetup names the sessions that are open; they go on, and kill still ends them" {
	run clsecure unsetup --dry-run
	refute_has 'These sessions go on'
	mkfifo "$BATS_TEST_TMPDIR/in"
	as_person setann clsecure exec app cat <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	eventually 10 pgrep -u claude-worker-app -x cat
	worker=$(id -u claude-worker-app)
	run clsecure unsetup --dry-run
	assert_has 'These sessions go on'
	assert_has '  app:1  clsecure  setann'
	run clsecure unsetup --yes
	assert_status 0
	assert_has '  app:1  clsecure  setann'
	run getent passwd claude-worker-app
	assert_status 2
	echo still >"$BATS_TEST_TMPDIR/in"
	eventually 5 grep -qx still "$BATS_TEST_TMPDIR/out"
	clsecure kill app
	eventually 5 sh -c "! pgrep -u $worker"
	status=0
	wait "$pid" || status=$?
	assert_status 137
	clsecure setup --yes -q
}
