"""What the filtered network costs: a login, and clsecure-egress beside a veth pair with NAT, tinyproxy, pasta and slirp4netns."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "host"))

from egressnet import NEWNET, RESOLVER, SERVER, Egress, Internet, Netns, libc, rss, sh  # noqa: E402
from measure import Figure, Side, interleave, median  # noqa: E402
from place import BIN, WORKER, Held, bash, nothing_of_ours, pause  # noqa: E402

STREAM_BYTES = 256 << 20
TOUCHES = 50
IDLE = 2000
NOBODY = 65534
USERS = {"filtered": "claude-worker-web", "none": WORKER}
PEERS = ("tinyproxy", "pasta", "slirp4netns")


class Joined:
    """A network namespace that another has made."""

    def __init__(self, fd):
        self.fd = fd


class World:
    """A sandbox's network of each kind, on one host, before one server."""

    def __init__(self):
        self.net = Internet()
        self.net.dns.names["bench.test"] = [SERVER]
        self.processes = []
        self.spawn(self.net.net, BIN + "net", "serve", SERVER)
        self.egress = Egress(self.net, "allow bench.test:*")
        self.ns = {"egress": self.net.inside, "veth": Netns()}
        self.address = {"egress": self.egress.address("bench.test")}
        self.routed(self.ns["veth"])
        self.ns["tinyproxy"] = self.ns["veth"]
        self.tinyproxy()
        slirp = self.ns["slirp4netns"] = Netns()
        path = f"/proc/{os.getpid()}/fd/{slirp.fd}"
        self.spawn(self.net.host, "slirp4netns", "-c", "--mtu=65520", "--netns-type=path", path, "tap0")
        pasta = self.spawn(self.net.host, "pasta", "-q", "--config-net", "--no-map-gw", "--", "sleep", "infinity", user=NOBODY)
        time.sleep(2)
        with open(f"/proc/{pasta.pid}/task/{pasta.pid}/children") as f:
            child = f.read().split()[0]
        self.ns["pasta"] = Joined(os.open(f"/proc/{child}/ns/net", os.O_RDONLY))

    def spawn(self, ns, *argv, user=None):
        def prepare():
            libc.setns(ns.fd, NEWNET)
            if user:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)

        null = subprocess.DEVNULL
        self.processes.append(subprocess.Popen(argv, preexec_fn=prepare, stdin=null, stdout=null, stderr=null))
        return self.processes[-1]

    def routed(self, ns):
        """A veth pair to the host, and NAT there."""
        with self.net.host:
            sh(
                "ip link add in0 type veth peer name out0 && ip addr add 10.9.0.1/24 dev in0 && ip link set in0 up &&"
                f"ip link set out0 netns {self.net.pid_in(ns)} && ip route add default via {RESOLVER} &&"
                "echo 1 >/proc/sys/net/ipv4/ip_forward && nft 'table ip n { chain p { type nat hook postrouting"
                " priority 100; oifname \"host0\" masquerade; }; }'"
            )
        with ns:
            sh("ip addr add 10.9.0.2/24 dev out0 && ip link set out0 up && ip route add default via 10.9.0.1")

    def tinyproxy(self):
        conf = tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False)
        conf.write(f"Port 8888\nListen 10.9.0.1\nTimeout 600\nMaxClients 300\nConnectPort 7001\nConnectPort 7002\n")
        conf.close()
        self.spawn(self.net.host, "tinyproxy", "-d", "-c", conf.name)

    def side(self, name, what, streams, *more):
        ns = self.ns[name]
        argv = [BIN + "net", what, self.address.get(name, SERVER), str(streams), *more]
        if name == "tinyproxy":
            argv.append("10.9.0.1")
        # the host's answer is asked for anew where it is too old, as it is by a client's own question
        before = (lambda: self.egress.address("bench.test")) if name == "egress" else None
        return Side(name, argv, before, preexec_fn=lambda: libc.setns(ns.fd, NEWNET))

    def close(self):
        self.egress.end()
        for p in self.processes:
            p.terminate()
            p.wait()


def faster(a, b):
    """Of the same bytes: the inverse of their times."""
    return median(y / x for x, y in zip(a, b))


def added(a, b):
    """Microseconds more."""
    return median((x - y) / 1e3 for x, y in zip(a, b))


def throughput(world, streams, target):
    names = ("egress", "veth", *PEERS)
    taken = interleave([world.side(n, "get", streams, str(STREAM_BYTES)) for n in names], 15)
    what = "one stream" if streams == 1 else f"{streams} streams"
    figures = [Figure(f"{what}, / veth with NAT", faster, [taken["egress"], taken["veth"]], target, sides=taken)]
    for peer in PEERS:
        figures.append(
            Figure(f"{what}, / {peer}", faster, [taken["egress"], taken[peer]], (">=", 1.0) if streams == 1 else None)
        )
    return figures


def connections(world):
    names = ("egress", "veth", *PEERS)
    taken = interleave([world.side(n, "touch", TOUCHES) for n in names], 30)
    return [
        Figure("a connection, more than by veth", added, [taken["egress"], taken["veth"]], ("<=", 250), "us", taken),
        *(Figure(f"the same by {peer}", added, [taken[peer], taken["veth"]], None, "us") for peer in PEERS),
    ]


def idle(world):
    address = world.address["egress"]
    many = [world.egress.dial(address, 7002) for _ in range(IDLE)]
    time.sleep(2)
    kib = rss(world.egress.pid) / 1024
    for s in many:
        s.close()
    return [Figure(f"{IDLE} idle connections", lambda c: c[0], [[kib]], ("<=", 16384), "KiB")]


def filtered():
    """clsecure-egress beside a veth pair with NAT, tinyproxy, pasta and slirp4netns: bytes, connections, memory"""
    world = World()
    try:
        return [*throughput(world, 1, (">=", 0.8)), *throughput(world, 100, None), *connections(world), *idle(world)]
    finally:
        world.close()


def opened(what, rounds, before, target):
    sides = [Side(n, [BIN + "timer", "su", "-", user, "-c", "true"], before) for n, user in USERS.items()]
    taken = interleave(sides, rounds)
    return Figure(what, added, [taken["filtered"], taken["none"]], target, "us", taken)


def opening():
    """A first login and one that joins, with Network=filtered, over Network=none"""
    bash("make_project ben web; as_person ben clsecure add /home/ben/web Network=filtered; systemctl stop -q clsecured.service")
    first = opened("a first login, more than by none", 40, nothing_of_ours, ("<=", 4000))
    with Held(USERS["none"]), Held(USERS["filtered"]):
        return [first, opened("one that joins, more than by none", 60, pause, None)]


PARTS = (opening, filtered)
