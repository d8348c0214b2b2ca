# host: own
# systemd's slice of a worker: quick logins one after the other each get their session of logind.
load lib

W=claude-worker-slapp

setup_file() {
	make_person slann
	make_project slann slapp
	as_person slann clsecure add /home/slann/slapp --name slapp
}

dropins() {
	local uid
	uid=$(id -u $W)
	printf '/etc/systemd/system/%s\n' "user-$uid.slice.d/50-clsecure.conf" \
		"user-runtime-dir@$uid.service.d/50-clsecure.conf" "user@$uid.service"
}

dropin() { echo "/etc/systemd/system/user-$(id -u "$W").slice.d/50-clsecure.conf"; }

logind_time() { awk '{ print $14 + $15 }' "/proc/$(pgrep -x systemd-logind)/stat"; }

twenty_scopes() { [ "$(journal_new | grep -c "^Started .*Session .* of User $W")" -eq 20 ]; }

@test "add writes the drop-in, and systemd reads it without a reload" {
	for file in $(dropins); do
		run stat -c '%U %a' "$file"
		assert_output 'root 644'
	done
	run su - $W -c true </dev/null
	assert_status 0
	run systemctl show -P StopWhenUnneeded "user-$(id -u $W).slice"
	assert_output no
	run systemctl show -P LoadState "user@$(id -u $W)"
	assert_output masked
	run systemctl show -P ActiveState "user-runtime-dir@$(id -u $W)"
	assert_output active
	run findmnt "/run/user/$(id -u $W)"
	assert_output ''
}

@test "twenty quick logins have twenty sessions" {
	journal_mark
	for _ in {1..20}; do
		su - $W -c true </dev/null
	done
	run eventually 10 twenty_scopes
	assert_status 0
	run journal_new
	refute_has 'Failed to create session'
	refute_has destructive
}

@test "no user manager for any user of clsecure's, lingering or not, and logind is not kept busy" {
	for user in $W claude clsecure-egress clsecure-pasta; do
		unit=user@$(id -u $user).service
		loginctl enable-linger $user
		if [ $user = $W ] || [ $user = claude ]; then
			run timeout 20 systemctl start "$unit"
			assert_has masked
		else
			timeout 20 systemctl start "$unit"
		fi
		run systemctl is-active "$unit"
		assert_output inactive
		before=$(logind_time)
		run timeout 10 su - $W -c 'echo in' </dev/null
		assert_output in
		sleep .5
		[ $(($(logind_time) - before)) -lt 20 ] || fail "logind is busy with $user"
		loginctl disable-linger $user
	done
	run pgrep -f 'systemd --user'
	assert_output ''
}

# slow: what a session does that leaves behind what ignores every signal to end
slow() {
	echo "setsid sh -c 'trap \"\" TERM HUP; touch slapp/slow.on; while :; do sleep .2; done' & sleep 99"
}

@test "quick logins by the gateway too" {
	loginctl disable-linger claude
	journal_mark
	for _ in {1..15}; do
		run ssh_as slann claude@localhost slapp echo in
		assert_output in
	done
	run journal_new
	refute_has destructive
}

@test "a session that is slow to end keeps no login waiting" {
	su - $W -c 'touch slapp/held.on; sleep 99' </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 test -e /home/slann/slapp/held.on
	held=$(loginctl list-sessions --no-legend | awk -v u=$W '$3 == u { print $1 }')
	su - $W -c "$(slow)" </dev/null >/dev/null 2>&1 3>&- &
	eventually 10 test -e /home/slann/slapp/slow.on
	loginctl terminate-session \
		"$(loginctl list-sessions --no-legend | awk -v u=$W -v h=$held '$3 == u && $1 != h { print $1 }')"
	journal_mark
	for _ in 1 2; do
		run timeout 20 su - $W -c 'echo in' </dev/null
		assert_output in
		run timeout 20 sudo -u $W echo in
		assert_output in
	done
	pgrep -u $W -f slow.on
	run journal_new
	refute_has 'no session of logind'
	clsecure kill slapp
}

@test "unsetup takes the drop-in back, setup writes it anew" {
	all=$(dropins) file=$(dropin)
	echo '# local' >>"$file"
	clsecure unsetup --yes -q
	[ ! -e "$file" ]
	run tail -n 1 "$file.clsecure-saved"
	assert_output '# local'
	rm -r "${file%/*}"
	clsecure setup --yes -q
	[ -e "$file" ]
	run grep -c 'StopWhenUnneeded=no' "$file"
	assert_output 1
	clsecure unsetup --yes -q
	for f in $all; do
		[ ! -e "$f" ]
	done
	[ ! -e "${file%/*}" ]
	clsecure setup --yes -q
	for f in $all; do
		[ -e "$f" ]
	done
}

@test "a mask that the administrator made is his: setup, add, remove and unsetup work and leave it" {
	mask=/etc/systemd/system/user@$(id -u $W).service
	ln -sf /dev/null "$mask"
	clsecure setup --yes -q
	clsecure unsetup --yes -q
	[ -L "$mask" ]
	clsecure setup --yes -q
	as_person slann clsecure remove slapp --yes
	[ -L "$mask" ]
	as_person slann clsecure add /home/slann/slapp --name slapp
	[ -L "$mask" ]
	rm "$mask"
}

@test "remove takes all away that is ours, also where one is not to be opened" {
	folder=/etc/systemd/system/user-$(id -u $W).slice.d
	rm -r "$folder"
	ln -s /nowhere "$folder"
	all=$(dropins)
	as_person slann clsecure remove slapp --yes
	[ -L "$folder" ]
	rm "$folder"
	for f in $all; do
		[ ! -e "$f" ]
	done
	as_person slann clsecure add /home/slann/slapp --name slapp
}

@test "remove takes the drop-in away and stops the slice" {
	all=$(dropins) file=$(dropin) slice=user-$(id -u $W).slice
	su - $W -c true </dev/null
	run systemctl is-active "$slice"
	assert_output active
	as_person slann clsecure remove slapp --yes
	[ ! -e "${file%/*}" ]
	for f in $all; do
		[ ! -e "$f" ]
	done
	run systemctl is-active "$slice"
	assert_output inactive
}
