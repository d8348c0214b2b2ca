# Compiles clsecure inside the tree, from a copy of the tracked and unignored
# files. The objects stay in the cache, so that a second build takes seconds; an
# installed build is a layer, found by the hash of what it was made from.
# Sourced by dev.
# shellcheck shell=bash

# The files of the checkout that git tracks or does not ignore, NUL between them.
# The checkout can be another person's (sudo), and its configuration is not obeyed.
source_list() {
	local git=(env GIT_OPTIONAL_LOCKS=0 git -c 'safe.directory=*' -c core.fsmonitor=false)
	local list=(ls-files -co --exclude-standard -z)
	if ! [ -e "$TOP/.git" ]; then	# an unpacked archive
		(cd "$TOP" && find . -type f ! -path './build/*' -printf '%P\0')
	elif command -v git >/dev/null; then
		"${git[@]}" -C "$TOP" "${list[@]}"
	else
		mount --bind "$TOP" "$TREE/mnt" || return	# in dev's own mount namespace
		chroot "$TREE" "${git[@]}" -C /mnt "${list[@]}"
		umount -l "$TREE/mnt"
	fi
}

# Sets SRC, a copy of the sources for this run.
source_need() {
	[ -z "${SRC:-}" ] || return 0
	mkdir "$RUN/src" || die "cannot write into $RUN"
	source_list >"$RUN/src.list" || die "git cannot list the files of $TOP"
	# A file that is deleted in the working tree is still in git's list.
	(cd "$TOP" && while IFS= read -r -d '' f; do
		{ [ -e "$f" ] || [ -L "$f" ]; } && printf '%s\0' "$f"
	done <"$RUN/src.list") | sort -zu >"$RUN/src.there"
	[ -s "$RUN/src.there" ] || die "no sources in $TOP"
	tar -C "$TOP" -c --null --no-recursion -T "$RUN/src.there" |
		tar -C "$RUN/src" -x --no-same-owner --no-same-permissions || die "cannot copy the sources"
	chmod -R u=rwX,go=rX "$RUN/src"
	SRC=$RUN/src
}

# Prints the hash of what an installed build is made from: not of tests, prose, dev.
source_hash() {
	(cd "$SRC" && find . \( -path ./tests/host -o -path ./tests/bench -o -path ./.ci -o -name '*.md' -o -path ./dev \) -prune -o \
		-type f -printf '%P %m\0' -o -type l -printf '%P %l\0' | sort -z | {
		printf '%s\0' "$TREE" "$@"
		while IFS= read -r -d '' f; do
			printf '%s\0' "$f"
			cat -- "${f% *}" 2>/dev/null
		done
	} | sha256sum | cut -c1-16)
}

# tree_run SHARED SCRIPT ARG...: runs SCRIPT in the tree with the directory SHARED
# as /b, the sources as /src; nothing else of it stays. No network. DEV_LOWER: layers
# in the tree's place; DEV_EXEC=exec: in the place of the calling (sub)shell, so that it
# dies with that one's parent.
tree_run() {
	local shared=$1
	shift
	mkdir -p "$RUN/tree"
	DEV_TREE=${DEV_LOWER:-$TREE} DEV_SHARED=$shared DEV_SRC=$SRC DEV_WORK=$RUN/tree ${DEV_EXEC:-} setpriv --pdeathsig KILL \
		unshare --mount --propagation private --pid --fork --kill-child --uts --ipc ${DEV_TREE_NET:---net} \
		bash "$LIB/tree-init" "$@" </dev/null
}

# build_dir: sets BUILD, this checkout's directory of objects, and locks it for
# as long as the caller keeps the descriptor BUILD_LOCK.
build_lock() {
	local id
	id=$(basename "$TOP")-$(printf '%s\n' "$TOP" "$TREE" | sha256sum | cut -c1-8)
	BUILD=$CACHE/build/$id
	mkdir -p "$BUILD"
	exec {BUILD_LOCK}>"$CACHE/lock/build-$id"
	flock -n "$BUILD_LOCK" || { say "waiting for another build of this checkout"; flock "$BUILD_LOCK"; }
}

build_unlock() {
	exec {BUILD_LOCK}>&-
}

# build_step NAME VARIANT STEP CONFIGURE-ARGS...: one step of tree-build, its
# output in $RUN/NAME.log; shown when it fails. The build is locked.
build_step() {
	local log=$RUN/$1.log status=0
	shift
	tree_run "$BUILD" bash /src/tests/host/dev/tree-build "$@" >"$log" 2>&1 || status=$?
	[ $status = 0 ] || build_explain "$log" >&2
	return $status
}

build_explain() {
	grep -E 'error[: ]|undefined reference|No rule to make|^not ok|^FAIL|runtime error|[Aa]ssert' "$1" | head -n 40
	echo "--- its last lines:"
	tail -n 25 "$1"
}

# layer_need CONFIGURE-ARGS...: sets LAYER to the installed build.
layer_need() {
	local hash
	source_need
	hash=$(source_hash "$@")
	LAYER=$CACHE/layer/$hash
	mkdir -p "$CACHE/layer"
	if [ ! -d "$LAYER" ]; then
		build_lock
		if [ ! -d "$LAYER" ]; then
			say "compiling clsecure${*:+ ($*)}; from nothing it takes a minute or more"
			rm -rf --one-file-system "$BUILD/dest"
			build_step build gcc install "$@" || die "clsecure does not compile, log: none is kept; the end is above"
			# Another checkout can have made the same one meanwhile.
			mv -T "$BUILD/dest" "$LAYER" 2>/dev/null || [ -d "$LAYER" ] || die "cannot keep the build"
		fi
		build_unlock
	fi
	touch "$LAYER"
	layers_prune
}

# Keeps the twenty that were used last; the lock "use" of run_begin tells whether
# others run, and then nothing is removed.
layers_prune() {
	local old lock
	exec {lock}>"$CACHE/lock/layers"
	flock -n "$lock" || return 0
	while read -r old; do
		[ "$(date +%s -r "$old")" -lt $(($(date +%s) - 86400)) ] && rm -rf --one-file-system "$old"
	done < <(ls -1dt "$CACHE"/layer/*/ | tail -n +21)
	exec {lock}>&-
}
