# host: own
# Network=filtered: the real Claude Code, npm, and programs that are set to a proxy; each by name and unmodified (internet.bash).
load lib
load internet

API=203.0.113.11

setup_file() {
	make_person nel
	make_project nel net >/dev/null
	internet
	ip -n far addr add $API/24 dev far
	names "$WEB web.test git.test" "$API api.test" "$WEB evil.test"
	in_net api python3 "$BATS_TEST_DIRNAME/messages-api.py" 443 'id -un; curl -sS -m 5 https://evil.test/ 2>&1; echo made >made-by-claude' \
		$API $NET/web.pem
	registry
	as_person nel clsecure add /home/nel/net --name netapp Network=filtered Linger=10min AllowDomains='web.test api.test' \
		Command=/opt/claude/bin/claude \
		SetEnv='ANTHROPIC_BASE_URL=https://api.test ANTHROPIC_AUTH_TOKEN=none NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
}

teardown_file() {
	as_person nel clsecure remove --yes netapp
	systemctl stop net-api
	internet_end
}

# A package registry at https://web.test/npm/, as far as npm needs one.
registry() {
	local where=$NET/www/npm dir=$NET/package
	mkdir -p $where $dir
	echo '{"name":"hello","version":"1.0.0","main":"index.js"}' >$dir/package.json
	echo 'console.log("hello from a package")' >$dir/index.js
	tar -C $NET -czf $where/hello-1.0.0.tgz package
	cat >$where/hello <<-X
		{"name":"hello","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"hello","version":"1.0.0","main":"index.js",
		"dist":{"shasum":"$(sha1sum $where/hello-1.0.0.tgz | cut -d' ' -f1)","tarball":"https://web.test/npm/hello-1.0.0.tgz"}}}}
	X
}

inside() { as_person nel clsecure exec netapp "$@"; }

@test "the real Claude Code does a task by the API's name; its tools reach nothing else" {
	run as_person nel sh -c 'cd net && clsecure -- -p "do the task"'
	assert_status 0
	assert_has 'TOOL SAID'
	assert_has claude-worker-netapp
	assert_has 'Could not resolve host: evil.test'
	assert_equal "$(cat /home/nel/net/made-by-claude)" made
	not_asked evil.test
}

@test "Claude Code asked nobody but the API" {
	local asked
	asked=$(sed -n 's/.*query\[[A-Z]*\] \([^ ]*\) .*/\1/p' $NET/queries | sort -u | grep -vE '^(web|git|api)\.test$' || :)
	assert_equal "$asked" ''
	run as_person nel clsecure net netapp
	assert_has api.test
}

@test "npm installs from a registry by name, and from no other" {
	run inside sh -ec 'cd $(mktemp -d) && npm init -y >/dev/null && npm install --no-audit --no-fund --registry https://web.test/npm/ hello &&
		node -e "require(\"hello\")"'
	assert_status 0
	assert_has 'hello from a package'
	run inside sh -c 'cd $(mktemp -d) && npm init -y >/dev/null && npm install --no-audit --fetch-retries 0 --registry https://evil.test/npm/ hello'
	[ "$status" -ne 0 ]
	assert_has ENOTFOUND
}

@test "programs that are set to a proxy: by https_proxy, by SOCKS, with the reason of a refusal" {
	local proxy=198.18.0.1:3128 one
	for one in http://$proxy socks5h://$proxy socks5://$proxy; do
		run inside env https_proxy=$one http_proxy=$one curl -sS -m 5 https://web.test/
		assert_output 'web.test for 203.0.113.1'
		run inside env https_proxy=$one http_proxy=$one curl -sS -m 5 http://web.test/
		assert_output 'web.test for 203.0.113.1'
		run inside env https_proxy=$one curl -sS -m 5 https://evil.test/
		[ "$status" -ne 0 ]
	done
	run inside env http_proxy=http://$proxy curl -sS -m 5 http://evil.test/
	assert_has 'no rule allows it'
	run inside env https_proxy=http://$proxy wget -qO- -T 5 https://web.test/
	assert_output 'web.test for 203.0.113.1'
	run inside env https_proxy=http://$proxy python3 -c 'import urllib.request as r; print(r.urlopen("https://web.test/", timeout=5).read().decode(), end="")'
	assert_output 'web.test for 203.0.113.1'
	not_asked evil.test
}
