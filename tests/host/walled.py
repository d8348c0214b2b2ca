#!/usr/bin/env python3
"""Run inside a session: is the whole wall here?

Prints "begun", what is missing, a line each, and "walled" if nothing is.

usage: walled.py PLACE [remember]

PLACE is a directory of the project; "host" in it says what the host's namespaces are.  `remember`
writes there what a session sees that nothing failed in (mounts with all their options, limits,
/dev, /run, /etc), else it is compared.
"""
import ctypes
import errno
import fcntl
import json
import os
import stat
import struct
import sys

PLACE = sys.argv[1]
TIOCGDEV = 0x80045432
libc = ctypes.CDLL(None, use_errno=True)
missing = []


def expect(good, *words):
    if not good:
        missing.append(" ".join(str(w) for w in words))


def text(path):
    with open(path) as f:
        return f.read()


def status(pid):
    return dict(line.split(":", 1) for line in text(f"/proc/{pid}/status").splitlines())


def fails_with(codes, function, *args):
    ctypes.set_errno(0)
    return function(*args) < 0 and ctypes.get_errno() in codes


def privileges():
    for pid in ("self", "1"):
        s = {k: v.split() for k, v in status(pid).items()}
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            expect(int(s[kind][0], 16) == 0, pid, kind, s[kind])
        expect(s["NoNewPrivs"] == ["1"], pid, "NoNewPrivs")
        expect(s["Seccomp"] == ["2"], pid, "Seccomp")
    me = status("self")
    expect(set(me["Uid"].split()) == set(me["Gid"].split()) == {str(os.getuid())}, "ids", me["Uid"])
    expect(os.getuid() >= 70000, "uid", os.getuid())
    expect(set(os.getgroups()) <= {os.getuid()}, "groups", os.getgroups())


def namespaces(host):
    for theirs in host:
        kind = theirs.split(":")[0]
        expect(os.readlink(f"/proc/self/ns/{kind}") != theirs, "the host's namespace:", kind)
    pids = [p for p in os.listdir("/proc") if p.isdigit()]
    expect(len(pids) < 12, "processes", len(pids))


def calls():
    no = (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT, errno.EACCES)
    expect(fails_with(no, libc.unshare, 0x10000000), "unshare of a user namespace")
    expect(fails_with(no, libc.syscall, 250, 0, -3, 0), "keyctl")
    expect(fails_with(no, libc.socket, 40, 1, 0), "a vsock")
    expect(fails_with(no, libc.syscall, 425, 1, None), "io_uring")


PROTECTED = (".git/hooks/x", ".git/modules/m/hooks/x", ".envrc", ".claude/settings.json")


def files():
    project = os.path.dirname(PLACE)
    system = ("/etc/x", "/usr/x", "/x", "/dev/x", "/run/x", "/proc/sys/kernel/domainname")
    for path in (*system, *PROTECTED):
        path = os.path.join(project, path)
        try:
            os.close(os.open(path, os.O_WRONLY | (0 if os.path.exists(path) else os.O_CREAT)))
            expect(False, "can be written:", path)
        except OSError:
            pass
    expect(os.listdir(os.path.join(project, "hidden")) == [], "Hide= shows something")
    socket = os.lstat(os.path.join(project, "socket"))
    expect(not stat.S_ISSOCK(socket.st_mode), "a socket of the host is not covered")


def descriptors():
    for fd in os.listdir("/proc/self/fd"):
        try:
            what = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue  # the listing's own
        expect(int(fd) < 3, "descriptor", fd, what)
    for fd in range(3):
        if os.isatty(fd):
            ours = os.fstat(fd).st_dev == os.stat("/dev/pts").st_dev
            expect(ours, "the host's terminal is descriptor", fd)
    try:
        tty = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return
    number = struct.unpack("I", fcntl.ioctl(tty, TIOCGDEV, b"\0" * 4))[0]
    expect(os.minor(number) < 3, "the host's terminal is /dev/tty")
    os.close(tty)


def mounts():
    """Where, how, of what kind with what options: all but numbers and the file system's name."""
    found = []
    for line in text("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        left, right = left.split(), right.split()
        found.append([left[4], left[5], " ".join(left[6:]).split(":")[0], right[0], right[2]])
    return found


def entries():
    found = {}
    for top in ("/dev", "/run", "/etc", "/var", "/tmp", "/home", "/root"):
        for folder, folders, names in os.walk(top):
            if folder.startswith(("/var/lib/dpkg", "/dev/pts", "/home/")):
                folders.clear()
                continue
            for path in [folder] + [os.path.join(folder, n) for n in names]:
                st = os.lstat(path)
                found[path] = [st.st_mode, st.st_uid, st.st_gid]
    return found


def seen():
    limits = text("/proc/self/limits").splitlines()
    links = sorted(line.split(":")[0].strip() for line in text("/proc/net/dev").splitlines()[2:])
    return {"links": links, "mounts": mounts(), "limits": limits, "entries": entries()}


def compare(now, then):
    # A pasta that ends takes its link away: less is reached, and no more.
    expect(set(now["links"]) <= set(then["links"]), "network links", now["links"], "not", then["links"])
    for mount in then["mounts"]:
        expect(mount in now["mounts"], "no mount:", mount)
    for mount in now["mounts"]:
        expect(mount in then["mounts"], "another mount:", mount)
    for a, b in zip(now["limits"], then["limits"]):
        # whether dumps are piped could not be read
        core = a.startswith("Max core") and a.split()[4:6] == ["1", "1"]
        expect(a == b or core, "limit:", a, "not", b)
    for path, how in now["entries"].items():
        expect(path in then["entries"], "another file:", path)
        before = then["entries"].get(path, how)
        expect(before == how, "file:", path, how, "not", before)


def main():
    print("begun", flush=True)
    privileges()
    namespaces(text(os.path.join(PLACE, "host")).split())
    calls()
    files()
    descriptors()
    reference = os.path.join(PLACE, "seen")
    if sys.argv[2:] == ["remember"]:
        with open(reference, "w") as f:
            json.dump(seen(), f)
    else:
        with open(reference) as f:
            compare(seen(), json.load(f))
    print("\n".join(missing) if missing else "walled", flush=True)
    sys.exit(1 if missing else 0)


main()
