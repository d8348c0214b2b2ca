#!/usr/bin/env python3
"""Both sides of the keeper's protocol, of other versions.

usage: versions.py keeper SOCKET HOW       is asked instead of a keeper; prints each request's number
                          first            of version 1, which does not know what it is asked first
                          older, newer     of the version before and after this one
                          refusing         newer, and refuses all
       versions.py ask SOCKET VERSION OP   prints the version and the status of the answer, and whether the connection stays
"""
import errno
import os
import socket
import struct
import sys

REQUEST, REPLY = "=4I32s32s128s64s", "=IiIIQiI3Q32s32s128s64s256s"  # lib/sandbox/protocol.h
VERSION, LIST, COUNT, KILL, HERE = 2, 4, 5, 6, 9


def answer(how, version, op):
    common = version == 1 and op in (LIST, COUNT, KILL, HERE)
    if how == "refusing" or not common:
        return -errno.EPROTO
    return -errno.ENOTSUP if how == "first" and op == HERE else 0


def keeper(path, how):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(16)
    ours = {"first": 1, "older": VERSION - 1}.get(how, VERSION + 1)
    while True:
        conn = listener.accept()[0]
        while True:
            data = conn.recv(4096)
            if not data:
                break
            version, op = struct.unpack(REQUEST, data)[:2]
            print(op, flush=True)
            status = answer(how, version, op)
            conn.send(struct.pack(REPLY, ours, status, 0, 9, 0, 0, 0, 0, 0, 0, b"", b"", b"", b"", b""))
            if op == KILL and status == 0:
                os.unlink(path)
                return


def ask(path, version, op):
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    conn.connect(path)
    for _ in range(2):
        conn.send(struct.pack(REQUEST, int(version), int(op), 0, 0, b"", b"", b"", b""))
        data = conn.recv(4096)
        if not data:
            break
        print(*struct.unpack(REPLY, data)[:2])


if sys.argv[1] == "keeper":
    keeper(*sys.argv[2:])
else:
    try:
        ask(*sys.argv[2:])
    except (BrokenPipeError, ConnectionResetError):
        pass
