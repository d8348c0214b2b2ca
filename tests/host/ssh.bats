# ssh straight to the worker: everything that sshd does in a session is done inside.
load lib

W=claude-worker-sshapp

setup_file() {
	make_person sshann
	make_project sshann sshapp
	as_person sshann clsecure add /home/sshann/sshapp --name sshapp
}

copy_as() {	# PROGRAM ARGS...: scp, sftp, rsync with options that ask nothing
	local program=$1
	shift
	as_person sshann "$program" -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$@"
}

@test "exec and -tt, in the home, with their status" {
	run ssh_as sshann $W@localhost 'pwd; exit 9'
	assert_status 9
	assert_output /home/$W
	run ssh_as sshann -tt $W@localhost 'tty; id -un'
	assert_status 0
	assert_has /dev/pts/
	assert_has $W
}

@test "scp, sftp, rsync" {
	as_person sshann sh -c 'echo payload >~/payload'
	copy_as scp payload $W@localhost:by-scp
	as_person sshann sh -c 'echo "put payload by-sftp" >~/batch'
	copy_as sftp -b batch $W@localhost
	as_person sshann rsync -e 'ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' payload $W@localhost:by-rsync
	run ssh_as sshann $W@localhost 'cat by-scp by-sftp by-rsync; ls /home'
	assert_equal "${lines[0]}${lines[1]}${lines[2]}" payloadpayloadpayload
	run cat /var/lib/clsecure/projects/sshapp/home/by-sftp
	assert_output payload
}

@test "-L reaches the sandbox's localhost, not the host's" {
	python3 -m http.server --bind 127.0.0.1 18431 --directory /srv >/dev/null 2>&1 3>&- &
	local server=$!
	ssh_as sshann -L 18432:localhost:18431 $W@localhost 'sleep 4' 3>&- &
	eventually 10 sh -c 'ss -ltn | grep -q :18432'
	run timeout 3 bash -c 'exec 9<>/dev/tcp/127.0.0.1/18432; echo "GET / HTTP/1.0" >&9; echo >&9; cat <&9'
	kill $server
	refute_has HTTP
	wait
}

@test "fifty sessions over one connection" {
	ssh_as sshann -M -S /tmp/mux-%C -o ControlPersist=30 $W@localhost true
	run bash -c 'source "$1/lib.bash"; for i in $(seq 50); do ssh_as sshann -S /tmp/mux-%C "$2@localhost" "echo in" & [ $((i % 9)) != 0 ] || wait; done; wait' - "$BATS_TEST_DIRNAME" $W
	assert_equal "$(grep -c '^in$' <<<"$output")" 50
	ssh_as sshann -S /tmp/mux-%C -O exit $W@localhost || :
}
