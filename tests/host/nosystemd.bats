# Built without systemd: no unit, no scope of ours, clsecured started by hand; the wall is the same.
# configure: --without-systemd
load lib
load walled

W=claude-worker-nosd

start_clsecured() {
	/usr/libexec/clsecure/clsecured </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	eventually 5 as_person nosann clsecure list
}

stop_clsecured() {
	kill "$(<"$BATS_FILE_TMPDIR/pid")"
}

setup_file() {
	make_person nosann
	start_clsecured
	make_walled nosann nosd
}

teardown_file() {
	stop_clsecured
}

gone() {
	[ -z "$(pgrep -u $W; pgrep -x clsecure-keeper)" ]
}

@test "no unit is installed, nothing links libsystemd" {
	run find /usr/lib/systemd /etc/systemd -name 'clsecure*'
	assert_output ''
	run ldd /usr/libexec/clsecure/clsecure-keeper /usr/libexec/clsecure/clsecured /usr/bin/clsecure
	assert_status 0
	refute_has libsystemd
}

@test "setup and doctor say that clsecured is started by hand" {
	stop_clsecured
	run clsecure setup --yes
	assert_has 'Start /usr/libexec/clsecure/clsecured by hand.'
	run clsecure doctor
	assert_status 1
	assert_has 'start /usr/libexec/clsecure/clsecured as root'
	refute_has systemctl
	start_clsecured
	run clsecure doctor
	assert_status 0
}

@test "clsecure shell, exec, su and ssh: the wall" {
	run as_person nosann clsecure exec nosd bash ./wall.sh
	assert_walled nosann nosd
	run on_pty as_person nosann clsecure shell nosd bash ./wall.sh
	assert_walled nosann nosd
	run su - $W -c "bash /home/nosann/nosd/wall.sh" </dev/null
	assert_walled nosann nosd
	run ssh_as nosann $W@localhost bash /home/nosann/nosd/wall.sh
	assert_walled nosann nosd
}

@test "there is no scope of ours, and nothing is left after the last session" {
	as_person nosann clsecure exec nosd sleep 3 3>&- &
	local caller=$!
	eventually 5 pgrep -x -u $W sleep
	run systemctl list-units --type=scope --no-legend --plain 'clsecure*'
	assert_output ''
	wait $caller
	eventually 5 gone
}
