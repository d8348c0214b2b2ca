# The pinned IDE of tests/host/code-server.bats, from the npm registry, once: a layer
# of that test's host with /opt/ide/{node,code-server,playwright}. Sourced by dev.
# shellcheck shell=bash

# Sets IDE. Its native modules are compiled in the tree, so it is made for one tree.
ide_need() {
	local arch
	arch=$(npm_arch) || exit 1
	IDE=$CACHE/ide-$(cat "$TOP/tests/ide.pin" "$LIB/ide.bash" - <<<"${TREE##*/} $arch" | sha256sum | cut -c1-12)
	make_once "$IDE" 'makes the IDE' ide_make "$arch"
}

ide_make() {
	local work=$RUN/ide arch=$1 opt dir
	opt=$work/layer/opt/ide
	say "fetching and compiling code-server (once, some minutes)"
	mkdir "$work" || die "cannot write into $RUN"
	ide_part "node-linux-$arch" node "node-$arch" "$opt/node"
	ide_part npm npm npm-digest "$work/npm"
	ide_part code-server code-server code-server-digest "$opt/code-server"
	ide_part playwright-core playwright playwright-digest "$opt/playwright"
	# What its lock files name, by their digests, and only that (a peer that they lack is
	# left out); no script of a package runs.
	for dir in . lib/vscode lib/vscode/extensions; do
		npm_in_tree "$work" --prefix "/b/layer/opt/ide/code-server/$dir" ci --omit=dev --ignore-scripts --legacy-peer-deps \
			--no-audit --no-fund --loglevel=error >&2 || die "npm cannot fetch what code-server needs"
	done
	SRC=$RUN/none ide_compile "$work" || die "code-server's modules do not compile (see above)"
	chmod -R u=rwX,go=rX "$work/layer"
	mv "$work/layer" "$IDE" || die "cannot move the IDE into place"
	say "it is made: $(du -sh "$IDE" | cut -f1)"
}

# ide_part PACKAGE VERSION-KEY DIGEST-KEY INTO
ide_part() {
	local version digest
	version=$(pin ide "$2") && digest=$(pin ide "$3") || exit 1
	npm_unpack "$RUN/ide" "$1" "$version" "$digest" "$4"
}

# What the packages' own scripts would do, without a network: compile what has no
# binary in its package, for this node, with its own headers and npm (Debian's node-gyp
# links Debian's node into it). ripgrep is fetched from elsewhere by its script:
# Debian's takes its place.
ide_compile() {
	mkdir -p "$RUN/none"
	tree_run "$1" bash -ec '
		ide=/b/layer/opt/ide code=/b/layer/opt/ide/code-server/lib/vscode
		export PATH=$ide/node/bin:$PATH
		compile() {	# DIRECTORY ARGS...
			cd "$1"
			shift
			node /b/npm/node_modules/node-gyp/bin/node-gyp.js rebuild --nodedir="$ide/node" "$@" >/tmp/log 2>&1 ||
				{ tail -n 40 /tmp/log; exit 1; }
			find build -name obj.target -prune -exec rm -rf {} +
		}
		for module in node-pty @vscode/spdlog native-watchdog; do
			compile "$code/node_modules/$module"
		done
		argon2=$ide/code-server/node_modules/argon2
		compile "$argon2" --module_name=argon2 --module_path="$argon2/lib/binding/napi-v3" \
			--napi_version=9 --napi_build_version=3
		node -e "require(process.argv[1])" "$argon2"
		mkdir -p "$code/node_modules/@vscode/ripgrep/bin"
		ln -s /usr/bin/rg "$code/node_modules/@vscode/ripgrep/bin/rg"
		ln -s node_modules "$code/node_modules.asar"
		ln -s code-server-linux.sh "$code/bin/remote-cli/code-server"
		ln -s browser-linux.sh "$code/bin/helpers/browser.sh"
		rm -rf "$ide/node/include"' >&2
}
