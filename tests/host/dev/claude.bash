# The pinned Claude Code, from the npm registry, once: a layer of every test
# host with /opt/claude/bin/claude. Sourced by dev.
# shellcheck shell=bash

# Sets CLAUDE.
claude_need() {
	local version arch digest
	arch=$(npm_arch) && version=$(pin claude version) && digest=$(pin claude "$arch") || exit 1
	CLAUDE=$CACHE/claude-$version-$arch
	make_once "$CLAUDE" 'fetches Claude Code' claude_install "$version" "$arch" "$digest"
}

claude_install() {
	local work=$RUN/claude
	say "fetching Claude Code $1 (once, 80 MB)"
	mkdir "$work"
	npm_unpack "$work" "@anthropic-ai/claude-code-linux-$2" "$1" "$3" "$work/layer/opt/claude/package"
	mkdir "$work/layer/opt/claude/bin"
	chmod -R u=rwX,go=rX "$work/layer"
	ln -s ../package/claude "$work/layer/opt/claude/bin/claude"
	mv "$work/layer" "$CLAUDE"
}
