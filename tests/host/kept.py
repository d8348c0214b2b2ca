#!/usr/bin/env python3
"""A PAM application that opens a session which must be refused, and compares what it was before with what it is after.

usage: kept.py SERVICE USER

Exits 0 when the session was refused by PAM_SYSTEM_ERR or PAM_PERM_DENIED and the process is what it was: descriptors,
signals, ids, capabilities, umask, directory, limits, namespaces, locale, environment, children, scheduling, terminal; and
when neither `clsecure sessions` nor logind has a session by SERVICE, while the process is still there.
"""
import ctypes
import locale
import os
import resource
import signal
import subprocess
import sys
import time

PAM_SYSTEM_ERR, PAM_PERM_DENIED = 4, 6
CONV = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
libc = ctypes.CDLL(None)
libc.calloc.restype = ctypes.c_void_p


class Conversation(ctypes.Structure):
    _fields_ = [("conv", CONV), ("data", ctypes.c_void_p)]


def converse(n, messages, ret_replies, data):
    ret_replies[0] = libc.calloc(n, 16)
    return 0


def status():
    keep = ("Umask", "TracerPid", "Uid", "Gid", "Groups", "NSpid", "NoNewPrivs", "Seccomp", "Threads", "Cpus_allowed")
    with open("/proc/self/status") as f:
        return {line.split(":")[0]: line for line in f if line.startswith(("Sig", "Shd", "Cap") + keep) and not line.startswith("SigQ")}


def file_text(name):
    with open(name) as f:
        return f.read()


def snapshot():
    fds = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds[fd] = (os.readlink(f"/proc/self/fd/{fd}"), file_text(f"/proc/self/fdinfo/{fd}"))
        except FileNotFoundError:
            pass  # the listing's own
    return {
        "descriptors": fds,
        "status": status(),
        "namespaces": {n: os.readlink(f"/proc/self/ns/{n}") for n in os.listdir("/proc/self/ns")},
        "handlers": {s: signal.getsignal(s) for s in signal.valid_signals()},
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "pending": signal.sigpending(),
        "directory": os.getcwd(),
        "root": os.readlink("/proc/self/root"),
        "limits": file_text("/proc/self/limits"),
        "cgroup": file_text("/proc/self/cgroup"),
        "oom": file_text("/proc/self/oom_score_adj"),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "scheduler": os.sched_getscheduler(0),
        "session": (os.getsid(0), os.getpgrp()),
        "children": file_text(f"/proc/self/task/{os.getpid()}/children"),
        "locale": locale.setlocale(locale.LC_ALL),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "dumpable": libc.prctl(3, 0, 0, 0, 0),
        "environment": dict(os.environ),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
    }


def output(*command, check=True):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=check).stdout


def main():
    pam = ctypes.CDLL("libpam.so.0")
    handle = ctypes.c_void_p()
    conversation = Conversation(CONV(converse), None)
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    signal.signal(signal.SIGCHLD, lambda *args: print("a SIGCHLD came"))
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    os.umask(0o027)
    os.chdir("/var/tmp")
    if pam.pam_start(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(conversation), ctypes.byref(handle)) != 0:
        sys.exit("no PAM")
    libc.syslog(6, b"kept.py")  # what a refusal logs goes by libc's connection, which stays
    before = snapshot()
    code = pam.pam_open_session(handle, 0)
    time.sleep(.1)
    after = snapshot()
    if code not in (PAM_SYSTEM_ERR, PAM_PERM_DENIED):
        sys.exit(f"pam_open_session: {code}")
    wrong = [f"{k}: {before[k]} became {after[k]}" for k in before if before[k] != after[k]]
    sessions = output("clsecure", "sessions", sys.argv[2].removeprefix("claude-worker-"))
    numbers = [line.split()[0] for line in output("loginctl", "--no-legend", "list-sessions").splitlines()]
    for number in numbers:  # one may have ended meanwhile
        sessions += output("loginctl", "show-session", "-P", "Service", number, check=False)
    if sys.argv[1] in sessions:
        wrong.append(f"a session is left: {sessions}")
    pam.pam_end(handle, code)
    if wrong:
        sys.exit("\n".join(wrong))


main()
