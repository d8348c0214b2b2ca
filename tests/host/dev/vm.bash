# The virtual machine: the tree with a kernel of Debian's in an ext4 image, booted by
# qemu without KVM. Everything but the image is as in a test host (host.bash), and
# host_exec runs a command in it, over a connection of ssh's. It ends with dev: qemu
# and ssh are in namespaces whose PID 1 dies with dev. Sourced by dev.
# shellcheck shell=bash

VM_PACKAGES=(linux-image-cloud-amd64 apparmor busybox-static)
VM_RUN_PACKAGES=(qemu-system-x86)
VM_MIB=2048

# Sets VM_IMAGE, a directory with the kernel, an initrd and the image, and QEMU, a
# layer; makes them if need be.
vm_need() {
	local lower
	[ "$(uname -m)" = x86_64 ] || die "the virtual machine is an x86_64 one, and this machine is not"
	packages_need "${VM_RUN_PACKAGES[@]}"
	QEMU=$EXTRA
	packages_need "${VM_PACKAGES[@]}"
	lower=${CLAUDE:+$CLAUDE:}$EXTRA:$TREE
	VM_IMAGE=$CACHE/vm-$({ echo "$lower"; cat "$LIB"/{vm-image,vm-init,host-etc,old-calls.c}; } | sha256sum | cut -c1-12)
	make_once "$VM_IMAGE" 'makes the virtual machine' vm_make "$lower"
}

# vm_make LOWER: of the tree with these layers.
vm_make() {
	say "making the image of the virtual machine, once"
	mkdir "$VM_IMAGE.new.$$" || die "cannot write into $CACHE"
	DEV_LOWER=$1 tree_run "$VM_IMAGE.new.$$" bash /src/tests/host/dev/vm-image >&2 || die "cannot make the image (see above)"
	mv "$VM_IMAGE.new.$$" "$VM_IMAGE" || die "cannot move the image into place"
	say "the image is made: $(du -sh "$VM_IMAGE" | cut -f1)"
}

# vm_start [CONFIGURE-ARGS...]: as host_start.
vm_start() {
	local began=$EPOCHREALTIME
	tree_need
	claude_need
	# shellcheck disable=SC2086 # words are meant
	layer_need "$@" ${DEV_CONFIGURE:-}
	vm_need
	VM=yes HOST=$RUN/vm
	mkdir "$HOST" "$HOST/vm" || die "cannot write into $RUN"
	vm_files
	vm_boot
	vm_wait
	host_set_up
	DEV_BOOTED=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

# What this run puts on the image: the installed build, the sources, and who may enter.
vm_files() {
	mkdir -p "$HOST/more/etc/clsecure-dev" "$HOST/more/usr/src"
	tree_run "$HOST" ssh-keygen -q -t ed25519 -N '' -f /b/key || die "cannot make a key"
	cp "$HOST/key.pub" "$HOST/more/etc/clsecure-dev/authorized_keys"
	tar -cf "$HOST/more.tar" --owner 0 --group 0 -C "$HOST/more" . &&
		tar -rf "$HOST/more.tar" --transform "s,^\.,./usr/src/clsecure," -C "$SRC" . &&
		tar -rf "$HOST/more.tar" -C "$LAYER" . || die "cannot write into $RUN"
}

vm_boot() {
	mount --bind "$VM_IMAGE" "$HOST/vm" || die "cannot mount the image"
	DEV_EXEC=exec DEV_LOWER=$QEMU:$TREE tree_run "$HOST" bash /src/tests/host/dev/vm-run "$VM_MIB" "${DEV_VM_CALLS:-}" \
		>"$HOST/boot.log" 2>&1 {RUN_LOCK}>&- &
	HOST_UNSHARE=$!
}

vm_failed() {
	say "the virtual machine does not start: $*"
	cat "$HOST/boot.log" >&2
	tail -n 40 "$HOST/console" >&2
	exit 1
}

# The namespaces' PID 1 is known when there is a connection.
vm_wait() {
	local i p
	for ((i = 0; i < 1800; i++)); do
		[ ! -S "$HOST/ssh" ] || break
		kill -0 "$HOST_UNSHARE" 2>/dev/null || vm_failed "qemu ended"
		sleep .1
	done
	[ -S "$HOST/ssh" ] || vm_failed "it is not reached"
	p=$(<"/proc/$HOST_UNSHARE/task/$HOST_UNSHARE/children") || vm_failed "it ended"
	HOST_PID=${p// /}
	HOST_STATE=$(host_exec timeout 170 systemctl is-system-running --wait </dev/null)
	case $HOST_STATE in
	running) ;;
	degraded) say "degraded: $(host_exec systemctl --failed --no-legend --plain </dev/null | cut -d' ' -f1 | tr '\n' ' ')" ;;
	*) vm_failed "state ${HOST_STATE:-unknown}" ;;
	esac
}

# vm_exec [-t] COMMAND...: see host_exec; with -t on a terminal of the machine's own.
vm_exec() {
	local tty=-T
	[ "$1" != -t ] || { tty=-tt; shift; }
	(
		exec {RUN_LOCK}>&-
		exec nsenter -t "$HOST_PID" -m -n -p ssh -q $tty -S /b/ssh root@127.0.0.1 "exec $(printf '%q ' "$@")"
	)
}

command_vm() {
	case ${1:-} in
	'') ;;
	--) shift; [ $# -gt 0 ] || usage_error "vm --: a command is missing" ;;
	*) usage_error "vm: write -- before the command" ;;
	esac
	run_begin
	vm_start
	[ ! -t 2 ] || say "the virtual machine is up ($HOST_STATE, ${DEV_BOOTED} s); it has no network"
	if [ $# = 0 ]; then
		set -- bash -l
	fi
	host_run "$@"
}
