# The pinned Claude Code, from the npm registry, once: a layer of every test
# host with /opt/claude/bin/claude. Sourced by dev.
# shellcheck shell=bash

pin() {
	sed -n "s/^$1=//p" "$TOP/tests/claude.pin"
}

# Sets CLAUDE. The tree's npm fetches it with this machine's network and npm
# configuration; the digest of the pin is what is believed.
claude_need() {
	local version arch digest lock
	version=$(pin version)
	arch=$(uname -m)
	case $arch in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) die "there is no Claude Code for $arch" ;;
	esac
	digest=$(pin "$arch")
	[ -n "$version" ] && [ -n "$digest" ] || die "tests/claude.pin names no version or no digest for $arch"
	CLAUDE=$CACHE/claude-$version-$arch
	[ ! -d "$CLAUDE" ] || return 0
	exec {lock}>"$CACHE/lock/claude"
	flock "$lock"
	[ -d "$CLAUDE" ] || claude_install "$version" "$arch" "$digest"
	exec {lock}>&-
}

claude_install() {
	local work=$RUN/claude file
	say "fetching Claude Code $1 (once, 80 MB)"
	mkdir "$work"
	npm_in_tree "$work" pack --silent --pack-destination /b "@anthropic-ai/claude-code-linux-$2@$1" >&2 ||
		die "npm cannot fetch Claude Code $1: no network, or the registry refuses"
	file=$(echo "$work"/*.tgz)
	[ "sha512-$(openssl_sha512 "$file")" = "$3" ] || die "Claude Code $1 is not what tests/claude.pin names"
	mkdir -p "$work/layer/opt/claude/bin" "$work/layer/opt/claude/package"
	tar -C "$work/layer/opt/claude/package" --no-same-owner --strip-components=1 -xzf "$file" || die "no space in $CACHE"
	chmod -R u=rwX,go=rX "$work/layer"
	ln -s ../package/claude "$work/layer/opt/claude/bin/claude"
	mv "$work/layer" "$CLAUDE"
}

openssl_sha512() {
	sha512sum <"$1" | cut -d' ' -f1 | tree_xxd | base64 -w0
}

# Hexadecimal to bytes, with what every Debian has.
tree_xxd() {
	perl -ne 'chomp; print pack("H*", $_)'
}

npm_in_tree() {
	local shared=$1 name env=()
	shift
	while IFS='=' read -r name _; do
		case $name in
		npm_config_* | NPM_CONFIG_* | *_proxy | *_PROXY | NODE_EXTRA_CA_CERTS | SSL_CERT_*) env+=("$name=${!name}") ;;
		esac
	done < <(env)
	[ ! -e "${HOME:-/root}/.npmrc" ] || cp "${HOME:-/root}/.npmrc" "$shared/npmrc"
	SRC=$shared DEV_TREE_NET=--uts tree_run "$shared" env "${env[@]}" npm_config_userconfig=/b/npmrc \
		npm_config_cache=/tmp/npm npm "$@"
}
