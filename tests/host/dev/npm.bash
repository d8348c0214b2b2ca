# Packages of the npm registry, each with the digest that a pin names. Sourced by dev.
# shellcheck shell=bash

# pin FILE KEY: what tests/FILE.pin says of KEY.
pin() {
	local value
	value=$(sed -n "s/^$2=//p" "$TOP/tests/$1.pin")
	[ -n "$value" ] || die "tests/$1.pin does not name $2"
	echo "$value"
}

# Prints this machine's architecture as npm's packages name it.
npm_arch() {
	case $(uname -m) in
	x86_64) echo x64 ;;
	aarch64) echo arm64 ;;
	*) die "the pinned programs are not made for $(uname -m)" ;;
	esac
}

# npm_unpack WORK PACKAGE VERSION DIGEST INTO: fetches one package, runs nothing of
# it, and unpacks it. WORK is a directory of the run's own, INTO one below it.
npm_unpack() {
	local file=$1/fetched
	mkdir -p "$file" "$5"
	npm_in_tree "$1" pack --silent --pack-destination /b/fetched "$2@$3" >&2 ||
		die "npm cannot fetch $2 $3: no network, or the registry refuses"
	file=$(echo "$file"/*.tgz)
	[ "sha512-$(openssl_sha512 "$file")" = "$4" ] || die "$2 $3 is not what its pin names"
	tar -C "$5" --no-same-owner --strip-components=1 -xzf "$file" || die "no space in $CACHE"
	rm -rf --one-file-system "$1/fetched"
}

openssl_sha512() {
	sha512sum <"$1" | cut -d' ' -f1 | tree_xxd | base64 -w0
}

# Hexadecimal to bytes, with what every Debian has.
tree_xxd() {
	perl -ne 'chomp; print pack("H*", $_)'
}

# npm_in_tree SHARED ARG...: the tree's npm, with this machine's network and npm
# configuration; SHARED is /b there.
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
