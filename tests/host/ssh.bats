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

quiet='-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'

# A web server of the sandbox, in a session; what follows it runs when it answers.
serve_inside='python3 -m http.server --bind 127.0.0.1 18500 --directory ~/www >/dev/null 2>&1 & server=$!
	until (exec 3<>/dev/tcp/127.0.0.1/18500) 2>/dev/null; do sleep .1; done'

@test "-L, -D and a unix socket lead to the sandbox's localhost, not the host's" {
	local server forward
	python3 -m http.server --bind 127.0.0.1 18431 --directory /srv >/dev/null 2>&1 3>&- &
	server=$!
	as_person sshann ssh -q $quiet $W@localhost 'mkdir -p www && echo from inside >www/file'
	rm -f /tmp/sshann.sock
	ssh_as sshann -L 18432:localhost:18431 -L 18433:localhost:18500 -D 18434 -L /tmp/sshann.sock:localhost:18500 \
		$W@localhost "$serve_inside; sleep 30" 3>&- &
	forward=$!
	eventually 15 sh -c 'curl -sf http://127.0.0.1:18433/file'
	run curl -sf --max-time 5 http://127.0.0.1:18432/
	[ "$status" -ne 0 ]
	run curl -sf --max-time 5 --socks5-hostname 127.0.0.1:18434 http://127.0.0.1:18500/file
	assert_output 'from inside'
	run curl -sf --max-time 5 --socks5-hostname 127.0.0.1:18434 http://127.0.0.1:18431/
	[ "$status" -ne 0 ]
	run curl -sf --max-time 5 --unix-socket /tmp/sshann.sock http://x/file
	assert_output 'from inside'
	kill $server $forward
	wait $server $forward || :
}

@test "-R brings the person's port in, -A the person's agent" {
	local server
	mkdir -p /home/sshann/www
	echo from the person >/home/sshann/www/file
	chown -R sshann: /home/sshann/www
	as_person sshann python3 -m http.server --bind 127.0.0.1 18435 --directory /home/sshann/www >/dev/null 2>&1 3>&- &
	server=$!
	eventually 10 sh -c 'curl -sf http://127.0.0.1:18435/file'
	run ssh_as sshann -R 18436:localhost:18435 $W@localhost 'curl -sf --max-time 5 http://127.0.0.1:18436/file'
	assert_output 'from the person'
	kill $server
	wait $server || :
	run as_person sshann ssh-agent sh -c "ssh-add -q ~/.ssh/id_ed25519 && ssh -q $quiet -A $W@localhost ssh-add -l"
	assert_status 0
	assert_has ED25519
}

@test "fifty sessions over one connection" {
	ssh_as sshann -M -S /tmp/mux-%C -o ControlPersist=30 $W@localhost true
	run bash -c 'source "$1/lib.bash"; for i in $(seq 50); do ssh_as sshann -S /tmp/mux-%C "$2@localhost" "echo in" & [ $((i % 9)) != 0 ] || wait; done; wait' - "$BATS_TEST_DIRNAME" $W
	assert_equal "$(grep -c '^in$' <<<"$output")" 50
	ssh_as sshann -S /tmp/mux-%C -O exit $W@localhost || :
}

# Whoever of root's opens the log anew in a session has the keeper's socket there.
@test "what root logs from inside reaches the host's journal, with the project's name; the worker writes nothing there" {
	journal_mark
	run ssh_as sshann $W@localhost 'logger -s forged by the worker; python3 -c "
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b\"<38>sshd[1]: forged by hand\", \"/dev/log\")"'
	[ "$status" -ne 0 ]
	assert_has 'Permission denied'
	logged() { journal_new | grep -E "$1"; }
	eventually 5 logged "session closed for user $W"
	run python3 "$BATS_TEST_DIRNAME/logged.py" su $W $'a line\e[31m of root'
	assert_status 0
	eventually 5 logged '^sshapp: python3?[^ ]*: a line.*of root'
	run journal_new
	refute_has forged
	refute_has $'\e'
}
