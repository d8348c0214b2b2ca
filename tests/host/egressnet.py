"""clsecure-egress alone, between three network namespaces that are made here: the sandbox's, the
host's, and a small internet (203.0.113.0/24) with a DNS server that counts and, if asked, is slow,
lies or is gone.
"""
import ctypes, os, select, signal, socket, ssl, struct, subprocess, sys, tempfile, threading, time

PROGRAM = os.environ.get("EGRESS", "/usr/libexec/clsecure/clsecure-egress")
SOURCES = os.path.dirname(os.path.abspath(__file__)) + "/../.."
UID = 69998
libc = ctypes.CDLL(None, use_errno=True)
NEWNET, NEWNS = 0x40000000, 0x20000
SERVER6 = "2001:db8::10"
SERVER, HOST, RESOLVER = "203.0.113.10", "203.0.113.1", "203.0.113.53"
POLICY, LOG, REFUSE, READY, CHANGED = 1, 2, 3, 4, 5
REASONS = """- allowed learned waiting not-listed port denied bad-name forbidden other-name no-name protocol
    refused limit raw unknown resolver upstream""".split()


def check(ok, what="check"):
    if not ok:
        raise AssertionError(what)


def equal(a, b):
    check(a == b, f"{a!r} is not {b!r}")


class Netns:
    """A network namespace, in which things can be done: with ns: ..."""
    lock = threading.RLock()

    def __init__(self):
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        check(libc.unshare(NEWNET) == 0, "unshare")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        sh("ip link set lo up")
        libc.setns(own, NEWNET)
        self.own = own

    def __enter__(self):
        self.lock.acquire()
        check(libc.setns(self.fd, NEWNET) == 0, "setns")

    def __exit__(self, *_):
        libc.setns(self.own, NEWNET)
        self.lock.release()


def sh(command):
    subprocess.run(command, shell=True, check=True)


def listener(address, port, ns, backlog=4096):
    with ns:
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen(backlog)
        return s


class Dns:
    """names: name -> list of addresses; what is not there is NXDOMAIN."""

    def __init__(self, ns):
        self.names, self.seen, self.delay, self.dead = {}, [], 0, False
        with ns:
            self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.s.bind((RESOLVER, 53))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            m, peer = self.s.recvfrom(4096)
            threading.Thread(target=self.one, args=(m, peer), daemon=True).start()

    def one(self, m, peer):
        name, at = [], 12
        while m[at]:
            name.append(m[at + 1:at + 1 + m[at]].decode("latin-1"))
            at += 1 + m[at]
        kind = struct.unpack(">H", m[at + 1:at + 3])[0]
        name = ".".join(name).lower()
        self.seen.append(name)
        if self.dead:
            return
        time.sleep(self.delay)
        found = self.names.get(name)
        answers = b""
        n = 0
        for a in found or []:
            family = socket.AF_INET6 if ":" in a else socket.AF_INET
            if kind != (28 if ":" in a else 1):
                continue
            raw = socket.inet_pton(family, a)
            answers += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(raw)) + raw
            n += 1
        head = m[:2] + struct.pack(">HHHHH", 0x8180 | (3 if found is None else 0), 1, n, 0, 0)
        self.s.sendto(head + m[12:at + 5] + answers, peer)


class Internet:
    """The three namespaces, and servers."""

    def __init__(self):
        check(libc.unshare(NEWNS) == 0, "unshare")
        sh("mount --make-rprivate /")
        self.dir = tempfile.mkdtemp()
        os.chmod(self.dir, 0o755)
        self.inside, self.host, self.net = Netns(), Netns(), Netns()
        with self.host:
            sh(f"ip link add host0 type veth peer name net0 && ip addr add {HOST}/24 dev host0 && "
               "ip addr add 2001:db8::1/64 dev host0 nodad && ip link set host0 up")
            sh(f"ip link set net0 netns /proc/self/fd/{self.net.fd} 2>/dev/null || "
               f"ip link set net0 netns {self.pid_in(self.net)}")
        with self.net:
            sh("ip link set net0 up")
            for a in (SERVER, RESOLVER, "203.0.113.11"):
                sh(f"ip addr add {a}/24 dev net0")
            sh(f"ip addr add {SERVER6}/64 dev net0 nodad")
        with self.inside:
            sh("ip addr add 198.18.0.1/15 dev lo")
        self.dns = Dns(self.net)
        resolv = self.dir + "/resolv.conf"
        with open(resolv, "w") as f:
            f.write(f"nameserver {RESOLVER}\nsearch corp.test\noptions timeout:1 attempts:2\n")
        self.steer = self.build_steer()
        open("/etc/resolv.conf", "a").close()
        sh(f"mount --bind {resolv} /etc/resolv.conf")

    def build_steer(self):
        """What steers connections to the pool, as the keeper has it."""
        open(self.dir + "/config.h", "w").close()
        sh(f"cc -D_GNU_SOURCE -shared -fPIC -o {self.dir}/steer.so -I{self.dir} -I{SOURCES} "
           f"{SOURCES}/lib/sandbox/steer.c")
        return ctypes.CDLL(self.dir + "/steer.so")

    def pid_in(self, ns):
        pid = os.fork()
        if pid == 0:
            libc.setns(ns.fd, NEWNET)
            time.sleep(3)
            os._exit(0)
        time.sleep(0.2)
        return pid


class Egress:
    def __init__(self, net, policy=None):
        self.net = net
        self.tcp = listener("198.18.0.1", 1, net.inside)
        with net.inside:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.53", 53))
        self.dns_tcp = listener("127.0.0.53", 53, net.inside)
        self.proxy = listener("198.18.0.1", 3128, net.inside)
        link, ports = ctypes.c_int(), ctypes.c_int()
        equal(net.steer.steer_attach(net.inside.fd, self.tcp.fileno(), -1, ctypes.byref(link),
                                     ctypes.byref(ports)), 0)
        equal(net.steer.steer_ports(ports, (ctypes.c_uint16 * 1)(5432), 1), 0)
        self.start()
        if policy is not None:
            equal(self.policy(policy), (0, ""))

    def start(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fds = [s.fileno() for s in (theirs, self.tcp, self.udp, self.dns_tcp, self.proxy)]
        self.control = ours
        self.control.settimeout(5)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                libc.setns(self.net.host.fd, NEWNET)
                high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
                for i, fd in enumerate(high):
                    os.dup2(fd, 3 + i, inheritable=True)
                os.closerange(8, 200)
                os.setgroups([])
                os.setresgid(UID, UID, UID)
                os.setresuid(UID, UID, UID)
                os.execv(PROGRAM, [PROGRAM])
            finally:
                os._exit(99)
        theirs.close()
        m = self.control.recv(65536)
        equal(struct.unpack("=IIiIQ", m)[:3], (1, READY, 0))

    def ask(self, op, start=0, text=b""):
        self.control.send(struct.pack("=IIQ", 1, op, start) + text)
        while True:
            m = self.control.recv(65536)
            version, got, status, _, after = struct.unpack("=IIiIQ", m[:24])
            if got != CHANGED:
                equal((version, got), (1, op))
                return status, after, m[24:]

    def policy(self, text):
        status, _, more = self.ask(POLICY, 0, text.encode())
        return status, more.decode()

    def log(self):
        at, found = 0, {}
        while True:
            status, at, m = self.ask(LOG, at)
            for i in range(0, len(m), 728):
                r = m[i:i + 728]
                change, first, last, sent, received, count, open_, reason, port = struct.unpack(
                    "=QQQQQIIIH2x", r[:56])
                name, rule, detail = (r[a:b].split(b"\0")[0].decode() for a, b in
                                      ((56, 312), (312, 600), (600, 728)))
                found[(name, port, REASONS[reason])] = dict(
                    rule=rule, detail=detail, sent=sent, received=received, count=count,
                    open=open_)
            if status == 0:
                return found

    def expect(self, name, port, reason):
        deadline = time.time() + 3
        while time.time() < deadline:
            log = self.log()
            if (name, port, reason) in log:
                return log[(name, port, reason)]
            time.sleep(0.05)
        raise AssertionError(f"the log has no {(name, port, reason)}: {log}")

    def query(self, name, kind=1, edns=True, tcp=False, timeout=5, raw=None):
        """rcode, [data of answers], text of the extended error"""
        q = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
        m = struct.pack(">HHHHHH", 0x4242, 0x120, 1, 0, 0, int(edns)) + q + struct.pack(
            ">HH", kind, 1) + (b"\0\0\x29\x04\xd0\0\0\0\0\0\0" if edns else b"")
        m = raw or m
        with self.net.inside:
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        s.settimeout(timeout)
        s.connect(("127.0.0.53", 53))
        s.send((struct.pack(">H", len(m)) if tcp else b"") + m)
        a = s.recv(4096)
        if tcp:
            equal(struct.unpack(">H", a[:2])[0], len(a) - 2)
            a = a[2:]
        s.close()
        check(a[:2] == m[:2], "the id")
        at = 12 + len(q) + 4
        check(a[12:at] == m[12:at], "the question as it was asked")
        out, text = [], ""
        for _ in range(struct.unpack(">H", a[6:8])[0]):
            n = struct.unpack(">H", a[at + 10:at + 12])[0]
            out.append(a[at + 12:at + 12 + n])
            at += 12 + n
        if edns and len(a) > at + 15:
            equal(struct.unpack(">HHH", a[at + 11:at + 17])[0], 15)
            text = a[at + 17:].decode()
        return a[3] & 15, out, text

    def address(self, name):
        rcode, out, text = self.query(name)
        check(rcode == 0 and len(out) == 1, f"{name}: rcode {rcode} {text}")
        return socket.inet_ntoa(out[0])

    def dial(self, address, port, timeout=5):
        with self.net.inside:
            s = socket.socket()
        s.settimeout(timeout)
        s.connect((address, port))
        return s

    def refused(self, address, port):
        """A connection that is ended at once; the reset can come before connect(2) returns."""
        try:
            s = self.dial(address, port)
        except ConnectionResetError:
            return
        dead(s)

    def open(self, name, port):
        return self.dial(self.address(name), port)

    def end(self):
        """Has it ended by itself, and well, when its keeper goes?"""
        self.control.close()
        deadline = time.time() + 5
        while time.time() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                equal(status, 0)
                return
            time.sleep(0.02)
        raise AssertionError("it outlives its keeper")


class Server(threading.Thread):
    """Accepts, and does with each connection what `serve` says."""

    def __init__(self, net, port, serve, address=SERVER):
        super().__init__(daemon=True)
        self.s, self.serve, self.count = listener(address, port, net.net), serve, 0
        self.start()

    def run(self):
        while True:
            c, _ = self.s.accept()
            self.count += 1
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            self.serve(c)
        except OSError:
            pass
        finally:
            c.close()


def echo(c):
    while True:
        data = c.recv(65536)
        if not data:
            c.shutdown(socket.SHUT_WR)
            return
        c.sendall(data)


def all_of(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionResetError:
        return data + b"<reset>"


def dead(s):
    """Nothing comes but the end."""
    check(all_of(s) in (b"", b"<reset>"), "bytes came")


GET = "GET / HTTP/1.1\r\nHost: {}\r\n\r\n"


def http(c):
    """Answers each request with what it got, on one connection."""
    got = b""
    while True:
        data = c.recv(65536)
        if not data:
            return
        got += data
        if got.endswith(b"\r\n\r\n"):
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(got) + got)
            got = b""


def rss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
