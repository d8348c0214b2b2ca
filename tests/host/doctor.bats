# host: own
# doctor: a sound host passes; each thing that a host can have wrong is told, with what mends it.
load lib

setup_file() {
	make_person docann
	make_project docann docapp
	as_person docann clsecure add docapp
}

# breaks DESCRIPTION-IN-OUTPUT COMMAND: doctor fails with these words after COMMAND.
breaks() {
	bash -c "$2"
	run clsecure doctor
	assert_status 1
	assert_has "FAIL  $1"
}

@test "a host that was set up has nothing wrong" {
	run clsecure doctor
	assert_status 0
	refute_has FAIL
	assert_has 'Nothing is wrong.'
	run clsecure doctor --json
	assert_status 0
	echo "$output" | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["version"] == 1 and d["failed"] == 0 and d["checks"]'
}

@test "a person is told to use sudo" {
	run as_person docann clsecure doctor
	assert_status 1
	assert_has 'sudo clsecure doctor'
}

@test "PAM: a missing line is told with its service and the command, which mends it" {
	breaks 'pam: service '"'runuser'" "sed -i /clsecure/d /etc/pam.d/runuser"
	assert_has 'sudo clsecure setup'
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
	breaks "pam: service 'cron'" "sed -i /clsecure/d /etc/pam.d/common-session-noninteractive"
	clsecure setup --yes -q
	breaks "pam: service 'su' does not ask pam_clsecure in auth" "sed -i /clsecure/d /etc/pam.d/su"
	clsecure setup --yes -q
	breaks "pam: service 'newdoor'" "printf 'account required pam_permit.so\nsession required pam_permit.so\n' >/etc/pam.d/newdoor"
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
	rm /etc/pam.d/newdoor
	breaks pam: "sed -i 's/required.pam_clsecure/optional\tpam_clsecure/' /etc/pam.d/common-session"
	clsecure setup --yes -q
	breaks pam: "echo 'session optional pam_exec.so /bin/true' >>/etc/pam.d/common-session"
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
	sed -i /pam_exec/d /etc/pam.d/common-session
}

@test "NSS: a missing word, a rule before it, a module that does not load, a registry that is not armed" {
	breaks nss: "sed -i 's/^shadow:\(.*\) clsecure/shadow:\1/' /etc/nsswitch.conf"
	clsecure setup --yes -q
	breaks nss: "sed -i 's/^passwd:.*/passwd: files [NOTFOUND=return] clsecure/' /etc/nsswitch.conf"
	sed -i 's/^passwd:.*/passwd: files systemd clsecure/' /etc/nsswitch.conf
	nss=$(find /usr/lib -name libnss_clsecure.so.2)
	mv "$nss" "$nss.away"
	breaks nss: true
	mv "$nss.away" "$nss"
	breaks nss: 'rm /var/lib/clsecure/armed'
	refute_has 'nobody for NSS'	# that is said once, and not of each project
	refute_has 'the registry is sound'
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
}

@test "sshd: UsePAM no, a missing drop-in, an earlier Match" {
	breaks sshd: "sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config"
	sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config
	breaks sshd: "rm /etc/ssh/sshd_config.d/00-clsecure.conf"
	clsecure setup --yes -q
	breaks sshd: "printf 'Match User claude\n\tPasswordAuthentication yes\n' >/etc/ssh/sshd_config.d/00-a.conf"
	rm /etc/ssh/sshd_config.d/00-a.conf
	breaks sshd: "printf 'PermitUserEnvironment yes\n' >/etc/ssh/sshd_config.d/00-a.conf"
	rm /etc/ssh/sshd_config.d/00-a.conf
	run clsecure doctor
	assert_status 0
}

@test "systemd: a drop-in that is gone, a socket that is not active" {
	breaks systemd: "rm /etc/systemd/system/user@.service.d/50-clsecure.conf; systemctl daemon-reload"
	clsecure setup --yes -q
	breaks systemd: "rm /etc/systemd/system/user@$(id -u claude-worker-docapp).service"
	clsecure setup --yes -q
	breaks clsecured: 'systemctl stop clsecured.socket'
	assert_has 'systemctl enable --now clsecured.socket'
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
}

@test "programs, members, sudoers, registry" {
	breaks programs: 'chmod o+w /usr/libexec/clsecure/clsecure-keys'
	chmod o-w /usr/libexec/clsecure/clsecure-keys
	breaks members: "sed -i 's/^sudo:.*/&claude-worker-docapp/' /etc/group"
	sed -i 's/claude-worker-docapp//' /etc/group
	breaks members: "echo 'claude-worker-docapp ALL=(ALL) ALL' >/etc/sudoers.d/x"
	rm /etc/sudoers.d/x
	breaks registry: 'mv /var/lib/clsecure/projects/docapp/project.conf /tmp/docapp.conf'
	mv /tmp/docapp.conf /var/lib/clsecure/projects/docapp/project.conf
	run clsecure doctor
	assert_status 0
}

@test "settings: a line of the administrator's that is wrong is told once, and no project is to be removed for it" {
	mkdir -p /etc/clsecure
	breaks 'pam: /etc/clsecure/clsecure.conf:1: there is no section [Sesion]' \
		'echo "[Sesion]" >/etc/clsecure/clsecure.conf'
	refute_has 'clsecure remove'
	assert_has '1 of these has to be mended.'
	run as_person docann clsecure list
	assert_status 1
	assert_has '/etc/clsecure/clsecure.conf:1'
	rm /etc/clsecure/clsecure.conf
	run as_person docann clsecure list
	assert_status 0
	assert_has docapp
}

@test "not set up is one failure, which says how many projects nobody can enter" {
	clsecure unsetup --yes -q
	run clsecure doctor
	assert_status 1
	assert_has 'FAIL  setup: clsecure is not set up: nobody can enter 1 project'
	assert_has 'sudo clsecure setup'
	assert_has '1 of these has to be mended.'
	assert_equal "$(grep -c '^FAIL' <<<"$output")" 1
	# half of it is not nothing
	sed -i 's/^passwd:.*/& clsecure/' /etc/nsswitch.conf
	run clsecure doctor
	refute_has 'FAIL  setup:'
	assert_has 'FAIL  nss: the registry is not armed'
	clsecure setup --yes -q
	run clsecure doctor
	assert_status 0
}

@test "network: clsecure-egress, and sets of names that cannot be read" {
	run clsecure doctor
	assert_has 'this kernel has what Network=filtered needs'
	mkdir -p /etc/clsecure/domains.d
	breaks 'network: @broken, a set of names, is not usable: /etc/clsecure/domains.d/broken.conf:1' \
		'echo nonsense >/etc/clsecure/domains.d/broken.conf'
	rm /etc/clsecure/domains.d/broken.conf
	breaks "programs: '/usr/libexec/clsecure/clsecure-egress' is missing" 'mv /usr/libexec/clsecure/clsecure-egress /root/'
	mv /root/clsecure-egress /usr/libexec/clsecure/
	run clsecure doctor
	assert_status 0
}
