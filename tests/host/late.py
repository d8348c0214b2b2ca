#!/usr/bin/env python3
"""A caller dies while the keeper is busy with another one's PLACE, and another process gets its pid.

usage: late.py PROJECT

The project's sandbox runs, and the bus does not answer: that is what the keeper waits for, two seconds.
"""
import ctypes
import os
import signal
import socket
import struct
import sys
import time

VERSION, ENTER, PLACE = 2, 1, 10
REQUEST = "=4I32s32s128s64s"  # lib/sandbox/protocol.h
SYS_CLONE3 = 435
syscall = ctypes.CDLL(None, use_errno=True).syscall


def request(op):
    return struct.pack(REQUEST, VERSION, op, 0, 0, b"late", b"", b"", b"")


def status(conn):
    return struct.unpack_from("=Ii", conn.recv(4096))[1]


def enter(name):
    """A process that entered and stays, and its connection."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        conn = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        conn.connect(f"/run/clsecure/{name}/keeper.sock")
        conn.send(request(ENTER))
        if status(conn) != 0:
            os._exit(1)
        socket.send_fds(theirs, [b"x"], [conn.fileno()])
        while True:
            signal.pause()
    theirs.close()
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    return pid, socket.socket(fileno=fds[0])


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def take(pid):
    """A process with that pid."""
    tid = ctypes.c_int(pid)
    args = struct.pack("=11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(tid), 1, 0)
    got = syscall(SYS_CLONE3, args, len(args))
    if got == 0:
        os.execv("/bin/sleep", ["sleep", "60"])
    if got != pid:
        sys.exit(f"pid {pid} cannot be had: {os.strerror(ctypes.get_errno())}")


def cgroup(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        return f.read()


def main():
    late, late_conn = enter(sys.argv[1])
    first, first_conn = enter(sys.argv[1])  # the newest connection is looked at first
    keeper = struct.unpack("3i", first_conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    os.kill(keeper, signal.SIGSTOP)
    late_conn.send(request(PLACE))
    first_conn.send(request(PLACE))
    os.kill(keeper, signal.SIGCONT)
    time.sleep(0.7)
    end(late)
    take(late)
    if status(first_conn) != 0:
        sys.exit("the first one has no place")
    refused = status(late_conn) < 0
    time.sleep(0.5)
    moved = cgroup(late) != cgroup(os.getpid())
    end(late)
    end(first)
    print("refused" if refused else "placed", "moved" if moved else "not moved", sep=", and ")


main()
