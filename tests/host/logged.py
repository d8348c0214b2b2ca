#!/usr/bin/env python3
"""A PAM application that opens a session and logs a line from inside.

usage: logged.py SERVICE USER LINE
"""
import ctypes
import sys

CONV = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
LOG_AUTHPRIV_INFO = 10 << 3 | 6
libc = ctypes.CDLL(None)


class Conversation(ctypes.Structure):
    _fields_ = [("conv", CONV), ("data", ctypes.c_void_p)]


def main():
    pam = ctypes.CDLL("libpam.so.0")
    handle = ctypes.c_void_p()
    conversation = Conversation(CONV(lambda *args: 0), None)
    service, user, line = (a.encode() for a in sys.argv[1:])
    if pam.pam_start(service, user, ctypes.byref(conversation), ctypes.byref(handle)) != 0:
        sys.exit("no PAM")
    code = pam.pam_open_session(handle, 0)
    if code != 0:
        sys.exit(f"pam_open_session: {code}")
    libc.closelog()  # a connection from before leads to the host's own
    libc.syslog(LOG_AUTHPRIV_INFO, b"%s", line)
    libc.closelog()
    pam.pam_close_session(handle, 0)
    pam.pam_end(handle, 0)


main()
