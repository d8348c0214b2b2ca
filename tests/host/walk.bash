# For walk.bats and walk-all.bats: the projects and the tool that walk.py needs.
# shellcheck shell=bash

LIBEXEC=/usr/libexec/clsecure

# prepare NAME [SETTING...]: a project with something of everything that the wall has, for walk.py.
prepare() {
	local name=$1 dir=/home/walker/$1 kind
	shift
	make_person walker
	make_project walker "$name" >/dev/null
	as_person walker sh -ec '
		cd "$1"
		mkdir -p .claude .clsecure hidden/in wall .git/modules/m/hooks
		echo x | tee .envrc .claude/settings.json hidden/file >/dev/null
		printf "[Files]\nTmpSize=32M\nHide=hidden\n" >.clsecure/config
		python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")"' - "$dir"
	cp "$BATS_TEST_DIRNAME/walled.py" "$dir/wall"
	for kind in mnt pid net ipc uts cgroup; do
		readlink /proc/self/ns/$kind
	done >"$dir/wall/host"
	chown -R walker: "$dir/wall"
	as_person walker clsecure add "$dir" --name "$name" "$@"
	mkdir -p "/run/inject/$name"
	runuser -u "claude-worker-$name" -- python3 -S "$dir/wall/walled.py" "$dir/wall" remember
}

prepare_all() {
	local i
	for i in 0 1 2; do
		prepare walk$i
	done
	gcc -O1 -Wall -Werror -o /run/inject/inject "$BATS_TEST_DIRNAME/inject.c" -lseccomp
}

inject_into_keeper() {
	mv $LIBEXEC/clsecure-keeper /run/inject/keeper
	cp /run/inject/inject $LIBEXEC/clsecure-keeper
}

keeper_back() {
	[ ! -e /run/inject/keeper ] || mv -f /run/inject/keeper $LIBEXEC/clsecure-keeper
}

# walk DOOR FIRST PARTS few|many|all [PROJECT]: three parts at once, each in a project of its own;
# of su-tty (relays have no names), and with PROJECT, one.
walk() {
	local i pids=() status=0 projects='0 1 2'
	[ "$1" != su-tty ] && [ -z "${5:-}" ] || projects=0
	for i in $projects; do
		timeout $((BATS_TEST_TIMEOUT - 5)) python3 "$BATS_TEST_DIRNAME/walk.py" \
			"$1" "${5:-walk$i}" $(($2 + i))/$3 "$4" >"$BATS_TEST_TMPDIR/walk$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	cat "$BATS_TEST_TMPDIR"/walk?
	return $status
}
