# clsecure-egress alone, with sockets as the keeper makes them, between a sandbox, a host and a small
# internet of network namespaces: egress.py, egressnet.py.
load lib

egress() {
	run python3 "$BATS_TEST_DIRNAME/egress.py" "$1"
	assert_status 0
}

@test "DNS: what the policy allows has an address, what it does not is asked of nobody" {
	egress dns
}

@test "DNS: many questions on a stream, and what is no question" {
	egress dns_many
}

@test "bytes pass both ways, half-closed and slowly, and are counted" {
	egress relay
}

@test "the keeper is answered while many connections have bytes" {
	egress busy
}

@test "TLS and HTTP say the name that was asked for, in every request, however it is cut" {
	egress names
}

@test "no name leads to the host, to private addresses, or to what stands for them" {
	egress forbidden
}

@test "a proxy for CONNECT, HTTP and SOCKS5, with the same decisions" {
	egress proxy
}

@test "a new policy ends what it does not allow, and nothing else" {
	egress live
}

@test "Ask: a connection waits, without a question to anybody, until a policy or a no" {
	egress ask
}

@test "Learn: what is public is reached and recorded" {
	egress learn
}

@test "ports of the host" {
	egress host_ports
}

@test "a resolver that is slow, then gone" {
	egress resolver
}

@test "2,000 idle connections take no more than 16 MiB" {
	egress idle
}

@test "the process has nothing but its sockets" {
	egress confined
}

@test "killed, the next one takes its sockets, and allows nothing before it has a policy" {
	egress restart
}
