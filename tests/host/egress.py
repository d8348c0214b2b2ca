#!/usr/bin/env python3
"""Tests of clsecure-egress alone (egressnet.py).

    egress.py TEST...       each is a function test_TEST below; without one, all
"""
import os, select, signal, socket, ssl, struct, subprocess, sys, threading, time, traceback

from egressnet import *


def test_dns(net):
    e = Egress(net)
    net.dns.names.update({"a.test": [SERVER], "b.sub.test": [SERVER], "v6.test": ["2001:db8::1"]})
    # before a policy nothing is allowed
    equal(e.query("a.test")[0], 3)
    equal(e.policy("allow a.test\nallow *.sub.test\nallow none.test\ndeny c.sub.test"), (0, ""))
    rcode, out, text = e.query("A.tEsT")
    equal((rcode, len(out), text), (0, 1, ""))
    check(out[0][:1] == b"\xc6" and out[0][1] in (18, 19), "an address of the pool")
    equal(e.query("a.test", tcp=True)[1], out)
    equal(e.query("a.test", edns=False)[1], out)
    for kind in (28, 65, 64, 16, 15):
        equal(e.query("a.test", kind)[:2], (0, []))
    equal(e.query("a.test", 252)[0], 4)
    reverse = ".".join(str(b) for b in reversed(out[0])) + ".in-addr.arpa"
    equal(e.query(reverse, 12)[1], [b"\1a\4test\0"])
    seen = list(net.dns.seen)
    rcode, out, text = e.query("evil.test")
    equal((rcode, out), (3, []))
    check("clsecure allow PROJECT evil.test" in text, text)
    for name in ("sub.test", "c.sub.test", "a.test.evil.test", "secret.a.test", "1.2.3.4",
                 "10.0.18.198.in-addr.arpa", "corp.test", "xa.test", "example"):
        for kind in (1, 28, 12, 16):
            equal(e.query(name, kind)[0], 3)
    equal(net.dns.seen, seen)
    check("denies" in e.query("c.sub.test")[2], "the reason")
    equal(e.query("none.test")[0], 3)
    check("none.test.corp.test" not in net.dns.seen, "the host's search domains")
    equal(e.query("localhost")[1], [b"\x7f\0\0\1"])
    equal(e.query("localhost", 28)[1], [b"\0" * 15 + b"\1"])
    equal(e.expect("evil.test", 0, "not-listed")["count"], 1)
    e.expect("c.sub.test", 0, "denied")
    e.end()


def test_dns_many(net):
    """Questions one after the other on one stream; what is no question."""
    net.dns.names["a.test"] = [SERVER]
    e = Egress(net, "allow a.test")
    s = e.dial("127.0.0.53", 53)
    q = b"\0\1\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1"
    s.sendall((struct.pack(">H", len(q)) + q) * 100)
    got = b""
    while len(got) < 100 * (2 + len(q) + 16):
        more = s.recv(65536)
        check(more, "the stream ended")
        got += more
    s.sendall(b"\xff\xff")
    dead(s)
    half = e.dial("127.0.0.53", 53)
    half.sendall(b"\0\x20abc")
    with net.inside:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for junk in (b"", b"x", b"\xff" * 12, q[:-1], b"\0" * 4096, b"\0" * 5000, q[:12] + b"\xc0\x0c"):
        u.sendto(junk, ("127.0.0.53", 53))
    equal(e.query("a.test")[0], 0)
    e.end()


def test_relay(net):
    net.dns.names["a.test"] = [SERVER]
    server = Server(net, 2222, echo)
    e = Egress(net, "allow a.test:2222\nallow a.test:2223")
    s = e.open("a.test", 2222)
    data = os.urandom(8 << 20)
    sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
    sender.start()
    check(all_of(s) == data, "the same bytes")
    sender.join()
    r = e.expect("a.test", 2222, "allowed")
    deadline = time.time() + 3
    while r["open"] and time.time() < deadline:
        r = e.expect("a.test", 2222, "allowed")
    equal((r["sent"], r["received"], r["open"], r["count"], r["rule"]),
          (len(data), len(data), 0, 1, "a.test:2222"))
    # a server that has IPv6 alone, and one whose IPv6 does not answer
    Server(net, 2225, echo, SERVER6)
    Server(net, 2225, echo)
    net.dns.names.update({"six.test": [SERVER6], "both.test": ["2001:db8::99", SERVER]})
    equal(e.policy("allow a.test:2222\nallow a.test:2223\nallow *:2225"), (0, ""))
    for name in ("six.test", "both.test"):
        s = e.open(name, 2225)
        s.settimeout(15)
        s.sendall(b"x")
        equal(s.recv(1), b"x")
    # back-pressure: a client that does not read costs little
    s = e.open("a.test", 2222)
    s.settimeout(0.5)
    try:
        while True:
            s.send(b"x" * 65536)
    except (TimeoutError, socket.timeout):
        pass
    check(rss(e.pid) < 12 << 20, f"{rss(e.pid)} bytes with a client that does not read")
    s.close()
    # refused upstream, another port, an address of the pool without a name
    e.refused(e.address("a.test"), 2223)
    r = e.expect("a.test", 2223, "upstream")
    check("refused" in r["detail"], r["detail"])
    e.refused(e.address("a.test"), 2224)
    e.expect("a.test", 2224, "port")
    e.refused("198.19.1.1", 2222)
    e.end()


def test_busy(net):
    """The keeper is answered while many connections have bytes."""
    net.dns.names["a.test"] = [SERVER]

    def source(c):
        piece = b"x" * (1 << 20)
        while True:
            c.sendall(piece)

    Server(net, 2222, source)
    e = Egress(net, "allow a.test:2222")
    many = [e.open("a.test", 2222) for _ in range(100)]
    pids = []
    for part in range(2):
        pids.append(os.fork())
        if pids[-1] == 0:
            while True:
                for s in select.select(many[part::2], [], [])[0]:
                    s.recv(1 << 20)
    worst = 0
    for _ in range(50):
        began = time.time()
        e.ask(LOG)
        worst = max(worst, time.time() - began)
        time.sleep(0.02)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    print(f"# answered within {worst * 1000:.0f} ms, {rss(e.pid) >> 10} KiB")
    check(worst < 1, f"{worst} s")
    e.end()


def test_names(net):
    """What is said on the connection is the name that was asked for."""
    net.dns.names.update({"a.test": [SERVER], "b.test": [SERVER]})
    Server(net, 80, http)
    Server(net, 8080, http)
    Server(net, 443, echo)
    e = Egress(net, "allow a.test:*")
    s = e.open("a.test", 80)
    request = GET.format("a.test").encode()
    for _ in range(3):
        s.sendall(request)
        check(request in s.recv(65536), "answered")
    s.sendall(GET.format("b.test").encode())
    dead(s)
    equal(e.expect("a.test", 80, "other-name")["detail"], "b.test")
    for port in (80, 8080):
        s = e.open("a.test", port)
        s.sendall(GET.format("b.test").encode())
        dead(s)
    s = e.open("a.test", 80)
    for byte in request:
        s.sendall(bytes([byte]))
    check(request in s.recv(65536), "byte by byte")
    for bad in (b"hello\r\n", b"GET / HTTP/1.1\nHost: a.test\n\n", b"PRI * HTTP/2.0\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a.test\r\nX: " + b"x" * (1 << 20)):
        s = e.open("a.test", 80)
        try:
            s.sendall(bad)
        except OSError:
            pass
        dead(s)
    e.expect("a.test", 80, "protocol")
    # TLS
    for name, ok in (("a.test", True), ("b.test", False), (None, False)):
        s = e.open("a.test", 443)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        c = ssl.create_default_context()
        c.check_hostname = name is not None
        t = c.wrap_bio(incoming, outgoing, server_hostname=name) if name else None
        if t is None:
            c.verify_mode = ssl.CERT_NONE
            t = c.wrap_bio(incoming, outgoing)
        try:
            t.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        for i in range(0, len(hello), 50):
            s.sendall(hello[i:i + 50])
        if ok:
            got = b""
            while len(got) < len(hello):
                got += s.recv(65536)
            equal(got, hello)
        else:
            dead(s)
    e.expect("a.test", 443, "other-name")
    e.expect("a.test", 443, "no-name")
    # a server that speaks first: not before the client has said a name
    net.dns.names["c.test"] = ["203.0.113.11"]
    first = Server(net, 80, lambda c: (c.sendall(b"hello"), echo(c)), "203.0.113.11")
    equal(e.policy("allow a.test:*\nallow c.test"), (0, ""))
    s = e.open("c.test", 80)
    check(not select.select([s], [], [], 0.5)[0], "the server spoke first")
    equal(first.count, 1)
    s.sendall(GET.format("c.test").encode())
    check(s.recv(65536).startswith(b"hello"), "the server did not speak")
    # at another port it may, and a policy that does not look
    Server(net, 22, lambda c: (c.sendall(b"SSH-2.0-x\r\n"), echo(c)))
    s = e.open("a.test", 22)
    equal(s.recv(100), b"SSH-2.0-x\r\n")
    s.sendall(b"SSH-2.0-y\r\n")
    equal(s.recv(100), b"SSH-2.0-y\r\n")
    equal(e.policy("allow a.test\nstrict no"), (0, ""))
    s = e.open("a.test", 443)
    s.sendall(b"anything")
    equal(s.recv(100), b"anything")
    e.end()


def test_forbidden(net):
    """Names that lead where no name may lead."""
    Server(net, 80, http)
    local = listener(HOST, 80, net.host), listener("127.0.0.1", 80, net.host)
    bad = {"loop.test": "127.0.0.1", "any.test": "0.0.0.0", "meta.test": "169.254.169.254",
           "ten.test": "10.0.0.1", "own.test": HOST, "mapped.test": "::ffff:127.0.0.1",
           "nat.test": "64:ff9b::7f00:1", "ula.test": "fd00:ec2::254", "six.test": "2002:7f00:1::"}
    net.dns.names.update({k: [v] for k, v in bad.items()})
    # the site's own NAT64, and a neighbour of its prefix, which is not reached here
    net.dns.names.update({"ipv4only.arpa": ["2001:db8:64::c000:aa"],
                          "site.test": ["2001:db8:64::7f00:1"], "beside.test": ["2001:db8:65::1"]})
    bad["site.test"] = "2001:db8:64::7f00:1"
    net.dns.names["mixed.test"] = ["127.0.0.1", SERVER]
    e = Egress(net, "allow *:*\nallow *")
    for name in bad:
        rcode, _, text = e.query(name)
        equal(rcode, 3)
        check("not public" in text, text)
        e.expect(name, 0, "forbidden")
        s, m = connect(e, name + ":80")
        check(m.startswith(b"HTTP/1.1 403"), (name, m))
        e.expect(name, 80, "forbidden")
    equal(e.query("beside.test")[0], 0)
    s = e.open("mixed.test", 80)
    s.sendall(GET.format("mixed.test").encode())
    check(b"200 OK" in s.recv(65536), "the public one of two")
    # rebinding: public when asked, loopback when connected
    net.dns.names["rebind.test"] = [SERVER]
    address = e.address("rebind.test")
    net.dns.names["rebind.test"] = ["127.0.0.1"]
    time.sleep(6)
    s = e.dial(address, 80)
    dead(s)
    equal(e.expect("rebind.test", 80, "forbidden")["detail"], "127.0.0.1")
    for s in local:
        check(not select.select([s], [], [], 0)[0], "the host was reached")
    # the policy names the address
    equal(e.policy("allow loop.test\nallow 127.0.0.1:80"), (0, ""))
    s = e.open("loop.test", 80)
    check(select.select([local[1]], [], [], 3)[0], "the host was not reached")
    e.end()


def connect(e, target, headers="", timeout=5):
    s = e.dial("198.18.0.1", 3128, timeout)
    s.sendall(f"CONNECT {target} HTTP/1.1\r\n{headers}\r\n".encode())
    return s, s.recv(65536)


def test_proxy(net):
    net.dns.names["a.test"] = [SERVER]
    Server(net, 80, http)
    Server(net, 2222, echo)
    e = Egress(net, "allow a.test:2222\nallow a.test\nallow a.test:2223")
    s, m = connect(e, "a.test:2222", "Host: a.test:2222\r\n")
    equal(m, b"HTTP/1.1 200 Connection established\r\n\r\n")
    s.sendall(b"hello")
    equal(s.recv(100), b"hello")
    # through an address of the pool, as programs that look names up themselves do
    s, m = connect(e, e.address("a.test") + ":2222")
    check(m.startswith(b"HTTP/1.1 200"), m)
    for target, code in (("b.test:443", b"403"), ("a.test:25", b"403"), ("a.test:2223", b"502"),
                         ("127.1:80", b"400"), ("2130706433:80", b"400"), ("0x7f.1:80", b"400"),
                         ("127.0.0.1:80", b"403"), ("[::ffff:127.0.0.1]:80", b"403"),
                         ("[64:ff9b::7f00:1]:80", b"403"), ("169.254.169.254:80", b"403"),
                         (SERVER + ":80", b"403"), ("a.test%00.b.test:80", b"400"),
                         ("198.18.5.5:80", b"400"), ("a" * 64 + ".test:80", b"400"),
                         ("allowed.a.test:80", b"403"), ("evila.test:80", b"403")):
        s, m = connect(e, target)
        check(m.startswith(b"HTTP/1.1 " + code), (target, m))
        check(b"clsecure" in m + all_of(s), m)
    s, m = connect(e, "a.test:80", "Host: b.test\r\n")
    check(m.startswith(b"HTTP/1.1 400"), m)
    check(e.expect("127.1:80", 0, "bad-name")["detail"], "the reason")
    # refused while it sends on: the loop goes on too
    s = e.dial("198.18.0.1", 3128)
    s.settimeout(0.2)
    try:
        s.sendall(b"CONNECT b.test:443 HTTP/1.1\r\n\r\n" + b"x" * (64 << 20))
    except OSError:
        pass
    equal(e.ask(LOG)[0], 0)
    s, m = connect(e, "A.TEST.:80")
    s.sendall(GET.format("b.test").encode())
    dead(s)
    # a request
    s = e.dial("198.18.0.1", 3128)
    s.sendall(b"GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\n\r\n")
    m = s.recv(65536)
    check(b"GET /x?y HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n" in m, m)
    s = e.dial("198.18.0.1", 3128)
    s.sendall(b"GET http://b.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n")
    m = all_of(s)
    check(m.startswith(b"HTTP/1.1 403") and b"clsecure allow" in m, m)
    # SOCKS5
    for name, port, code in ((b"a.test", 2222, 0), (b"b.test", 80, 2), (b"a.test", 2223, 5)):
        s = e.dial("198.18.0.1", 3128)
        s.sendall(b"\5\1\0")
        equal(s.recv(2), b"\5\0")
        s.sendall(b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", port))
        equal(s.recv(10)[:2], bytes([5, code]))
    for junk in (b"\x16\3\1", b"\4\1\0\x50\x7f\0\0\1\0", b"\0" * 100):
        s = e.dial("198.18.0.1", 3128)
        s.sendall(junk)
        check(b"200" not in all_of(s), junk)
    e.end()


def test_live(net):
    """A policy that changes: connections end, others go on."""
    net.dns.names.update({"a.test": [SERVER], "b.test": [SERVER]})
    Server(net, 2222, echo)
    e = Egress(net, "allow a.test:2222\nallow b.test:2222")
    a, b = e.open("a.test", 2222), e.open("b.test", 2222)
    for s in (a, b):
        s.sendall(b"x")
        equal(s.recv(1), b"x")
    equal(e.policy("allow b.test:2222"), (0, ""))
    dead(a)
    b.sendall(b"y")
    equal(b.recv(1), b"y")
    # what cannot be read allows nothing
    status, text = e.policy("allow b.test:2222\nallow c.test:nothing")
    check(status == -22 and "nothing" in text, text)
    dead(b)
    equal(e.query("b.test")[0], 3)
    e.end()


def test_ask(net):
    net.dns.names["a.test"] = [SERVER]
    Server(net, 2222, echo)
    e = Egress(net, "ask yes")
    seen = list(net.dns.seen)
    a, b = e.open("a.test", 2222), e.open("b.test", 2222)
    e.expect("a.test", 2222, "waiting")
    equal(e.expect("b.test", 2222, "waiting")["open"], 1)
    equal(net.dns.seen, seen)
    equal(e.ask(REFUSE, 0, b"b.test 2222")[0], 0)
    dead(b)
    e.expect("b.test", 2222, "refused")
    e.refused(e.address("b.test"), 2222)
    equal(e.policy("ask yes\nallow a.test:2222"), (0, ""))
    a.sendall(b"x")
    equal(a.recv(1), b"x")
    # a no holds as long as the policy
    held = e.open("b.test", 2222)
    deadline = time.time() + 3
    while e.expect("b.test", 2222, "waiting")["open"] == 0:
        check(time.time() < deadline, "it does not wait")
    held.close()
    e.end()


def test_learn(net):
    net.dns.names.update({"a.test": [SERVER], "loop.test": ["127.0.0.1"]})
    Server(net, 2222, echo)
    e = Egress(net, "learn yes\ndeny bad.test")
    s = e.open("a.test", 2222)
    s.sendall(b"x")
    equal(s.recv(1), b"x")
    e.expect("a.test", 2222, "learned")
    equal(e.query("loop.test")[0], 3)
    equal(e.query("bad.test")[0], 3)
    e.end()


def test_host_ports(net):
    s = listener("127.0.0.1", 5432, net.host), listener("127.0.0.1", 5433, net.host)
    e = Egress(net, "hostport 5432")
    c = e.dial("127.0.0.1", 5432)
    check(select.select([s[0]], [], [], 3)[0], "not reached")
    up = s[0].accept()[0]
    up.sendall(b"x")
    equal(c.recv(1), b"x")
    equal(e.policy(""), (0, ""))
    dead(c)
    e.refused("127.0.0.1", 5432)
    e.end()


def test_resolver(net):
    """A resolver that is slow, then gone."""
    net.dns.names["a.test"] = [SERVER]
    Server(net, 2222, echo)
    e = Egress(net, "allow *:*")
    net.dns.delay = 0.7
    began = time.time()
    e.open("a.test", 2222)
    check(time.time() - began < 3, "too slow")
    # meanwhile others are served
    threads = [threading.Thread(target=lambda i=i: e.query(f"n{i}.test", timeout=20))
               for i in range(40)]
    for t in threads:
        t.start()
    began = time.time()
    equal(e.query("localhost")[0], 0)
    check(time.time() - began < 0.5, "it waits for the resolver")
    for t in threads:
        t.join()
    net.dns.delay, net.dns.dead = 0, True
    rcode, _, text = e.query("gone.test", timeout=20)
    equal((rcode, text), (2, "the host's resolver failed"))
    e.expect("gone.test", 0, "resolver")
    net.dns.dead = False
    equal(e.query("gone.test", timeout=20)[0], 3)
    e.end()


def test_idle(net):
    """2,000 connections that say nothing, and storms of resets."""
    net.dns.names["a.test"] = [SERVER]
    Server(net, 2222, lambda c: c.recv(1))
    e = Egress(net, "allow a.test:2222")
    address = e.address("a.test")
    before, fds = rss(e.pid), len(os.listdir(f"/proc/{e.pid}/fd"))
    many = [e.dial(address, 2222) for _ in range(2000)]
    e_log = {}
    deadline = time.time() + 20
    while time.time() < deadline:
        e_log = e.expect("a.test", 2222, "allowed")
        if e_log["open"] == 2000:
            break
    equal(e_log["open"], 2000)
    after = rss(e.pid)
    print(f"# 2,000 idle connections: {before >> 10} KiB before, {after >> 10} KiB with them")
    check(after <= 16 << 20, f"{after} bytes with 2,000 idle connections")
    for s in many:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    for _ in range(500):
        s = e.dial(address, 2222)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.send(b"x" * 100)
        s.close()
    deadline = time.time() + 10
    while time.time() < deadline:
        if e.expect("a.test", 2222, "allowed")["open"] == 0:
            break
    equal(e.expect("a.test", 2222, "allowed")["open"], 0)
    equal(len(os.listdir(f"/proc/{e.pid}/fd")), fds)
    e.end()


def test_confined(net):
    """The process, as it stands."""
    e = Egress(net, "")
    with open(f"/proc/{e.pid}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    equal(status["NoNewPrivs"], "1")
    equal(status["Seccomp"], "2")
    equal(status["CapEff"], "0" * 16)
    equal(status["CapBnd"], status["CapBnd"])
    equal(status["Uid"].split(), [str(UID)] * 4)
    # not dumpable: its files belong to root
    equal(os.stat(f"/proc/{e.pid}/mem").st_uid, 0)
    e.end()
    # as root it does not run
    theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    p = subprocess.run([PROGRAM], stdin=subprocess.DEVNULL, capture_output=True, close_fds=True)
    equal(p.returncode, 1)
    del theirs


def test_restart(net):
    """Killed with a transfer running; the next one takes the same sockets."""
    net.dns.names["a.test"] = [SERVER]
    Server(net, 2222, echo)
    e = Egress(net, "allow a.test:2222")
    s = e.open("a.test", 2222)
    s.sendall(b"x")
    equal(s.recv(1), b"x")
    address = e.address("a.test")
    os.kill(e.pid, signal.SIGKILL)
    os.waitpid(e.pid, 0)
    dead(s)
    waiting = e.dial(address, 2222)  # in the listener's queue
    e.start()
    waiting.close()
    e.refused(address, 2222)  # no policy yet
    equal(e.policy("allow a.test:2222"), (0, ""))
    equal(e.address("a.test"), address)
    s = e.open("a.test", 2222)
    s.sendall(b"x")
    equal(s.recv(1), b"x")
    e.end()


def run(name):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            globals()["test_" + name](Internet())
            status = 0
        except Exception:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    ok = os.waitpid(pid, 0)[1] == 0
    print("ok" if ok else "not ok", name, flush=True)
    return ok


if __name__ == "__main__":
    names = sys.argv[1:] or [n[5:] for n in list(globals()) if n.startswith("test_")]
    sys.exit(not all([run(n) for n in names]))
