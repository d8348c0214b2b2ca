"""What NSS costs: nss_clsecure beside the others, and for who is not a worker."""
import hashlib
import os

from measure import Figure, Side, interleave, ratio_of_pairs
from place import BIN, bash, run

STATE = "/var/lib/clsecure"
REGISTRY = STATE + "/registry"
PLACE = "/srv/bench"  # of projects that are only looked up
FIRST = 70000
USERS, BLOCK = 1000, 2000
SLOW = 100  # a block of what takes a millisecond each


def lookups(name, services, count, names):
    return Side(name, [BIN + "lookups", services, str(count), *names])


def private(*argv):
    return ["unshare", "--mount", "--propagation", "private", *argv]


def compare(what, sides, target, rounds=60):
    taken = interleave(sides, rounds)
    a, b = (taken[side.name] for side in sides)
    return Figure(what, ratio_of_pairs, [a, b], target, sides=taken)


def put_users():
    """1,000 users in files, of no program's interest."""
    lines = [f"user{i}:x:{40000 + i}:100::/nonexistent:/usr/sbin/nologin\n" for i in range(USERS)]
    with open("/etc/passwd") as f:
        before = f.read()
    with open("/etc/passwd", "a") as f:
        f.writelines(lines)
    return before


class Registry:
    """One of N projects, as lib/base/record.h has it but for the map, in the place of the host's own."""

    def __init__(self, size):
        self.size, self.place = size, f"/var/lib/clsecure/bench-{size}"

    def __enter__(self):
        run("rm", "-rf", self.place)
        for name in ("name", "uid"):
            os.makedirs(f"{self.place}/{name}")
        for i in range(self.size):
            user, uid = self.user(i), str(FIRST + i)
            for link in (f"name/{user}", f"uid/{uid}"):
                os.symlink(f"1:{user}:{uid}", f"{self.place}/{link}")
        run("mount", "--bind", self.place, REGISTRY)
        return self

    def __exit__(self, *_):
        run("umount", REGISTRY)

    @staticmethod
    def user(i):
        return f"claude-worker-p{i}"

    def some(self):
        """Names, and then uids, from all over it."""
        step = max(1, self.size // 100)
        chosen = range(0, self.size, step)
        return [self.user(i) for i in chosen] + [str(FIRST + i) for i in chosen]


def beside_others():
    ours = Registry(1000)
    files = [f"user{i}" for i in range(0, USERS, 10)] + [str(40000 + i) for i in range(0, USERS, 10)]
    with ours:
        yield compare(
            "clsecure / files with 1,000 users",
            [lookups("clsecure", "clsecure", SLOW, ours.some()), lookups("files", "files", SLOW, files)],
            ("<=", 0.3),
        )
        run("systemd-run", "-q", "--unit=benchdyn", "-p", "DynamicUser=yes", "-p", "User=benchdyn", "sleep", "600")
        bash("eventually 10 getent passwd benchdyn >/dev/null")
        yield compare(
            "clsecure / systemd, a dynamic user",
            [lookups("clsecure", "clsecure", SLOW, ours.some()), lookups("systemd", "systemd", SLOW, ["benchdyn"])],
            ("<=", 0.3),
        )
        run("systemctl", "stop", "-q", "benchdyn")


def strangers():
    who = ["root", "plain", "0"]
    yield compare(
        "who is in files, with ours / without",
        [lookups("with", "files clsecure", BLOCK, who), lookups("without", "files", BLOCK, who)],
        ("reaches", 1.0),
        100,
    )
    who = ["nosuchuser", "www", "3999999"]
    yield compare(
        "who is nowhere, with ours / without",
        [lookups("with", "files clsecure", -SLOW, who), lookups("without", "files", -SLOW, who)],
        ("reaches", 1.0),
        100,
    )


def sizes():
    few = Registry(10)
    for size in (1000, 30000):
        many = Registry(size)
        # Each side has its registry in a mount namespace of its own.
        with few:
            sides = [Side("of 10", private(BIN + "lookups", "clsecure", str(BLOCK), *few.some()))]
            sides[0].measure()
        with many:
            sides.insert(0, Side(f"of {size:,}", private(BIN + "lookups", "clsecure", str(BLOCK), *many.some())))
            sides[0].measure()
            yield compare(f"{size:,} projects / 10", sides, ("reaches", 1.05))


class Projects(Registry):
    """And each with its directory, for who asks clsecured."""

    FOLDERS = ("registry", "projects", "paths")

    def __enter__(self):
        run("rm", "-rf", self.place)
        for folder in ("registry/name", "registry/uid", "projects", "paths"):
            os.makedirs(f"{self.place}/{folder}", 0o700)
        for folder in ("", "registry", "registry/name", "registry/uid"):
            os.chmod(f"{self.place}/{folder}", 0o755)
        for i in range(self.size):
            self.project(i)
        for folder in self.FOLDERS:
            run("mount", "--bind", f"{self.place}/{folder}", f"{STATE}/{folder}")
        return self

    def project(self, i):
        slug, user, uid = f"p{i}", self.user(i), FIRST + i
        for link in (f"name/{user}", f"uid/{uid}"):
            os.symlink(f"1:{user}:{uid}", f"{self.place}/registry/{link}")
        for folder in ("home", "log"):
            os.makedirs(f"{self.place}/projects/{slug}/{folder}", 0o700)
        with open(f"{self.place}/projects/{slug}/project.conf", "w") as f:
            f.write(f"[Project]\nPath={PLACE}/{slug}\nOwner=0:root\n[State]\nVersion=1\nCreated=1\nChanged=1\n")
        key = hashlib.sha256(f"{PLACE}/{slug}".encode()).hexdigest()
        os.symlink(f"{slug}:0:{PLACE}/{slug}", f"{self.place}/paths/{key}")

    def __exit__(self, *_):
        for folder in self.FOLDERS:
            run("umount", f"{STATE}/{folder}")

    def find(self):
        """By the directory of one in the middle."""
        name, below = f"of {self.size:,}", f"{PLACE}/p{self.size // 2}/below"
        os.makedirs(below, exist_ok=True)
        return Side(name, private(BIN + "timer", "clsecure", "sessions", below))


def found():
    for size in (1000, 29000):
        with Projects(10) as few:
            sides = [few.find()]
            sides[0].measure()
            with Projects(size) as many:
                sides.insert(0, many.find())
                sides[0].measure()
                yield compare(f"{size:,} projects / 10", sides, ("reaches", 1.05), 30)


def find():
    """Finding a project by its directory"""
    return [*found()]


def nss():
    """Looking a user up"""
    before = put_users()
    try:
        return [*beside_others(), *strangers(), *sizes()]
    finally:
        with open("/etc/passwd", "w") as f:
            f.write(before)


PARTS = [nss, find]
