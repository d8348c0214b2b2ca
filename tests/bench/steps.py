"""Where the time of a cold login goes."""
import re
import subprocess
import tempfile

from measure import Figure, median, rounds_of
from place import WORKER, nothing_of_ours, run, without_systemd

# Only these calls stop: strace puts a filter before all others, so that the rest runs at its own speed.
CALLS = "execve,connect,flock,clone3,pivot_root,setns,seccomp,setresuid,exit_group"
# What ends a step, as strace writes it, in the order in which it comes.
STEPS = [
    ("su, up to its session", r"connect\(.*keeper\.sock.* = -1 "),
    ("the keeper is started", r'execve\("[^"]*/clsecure-keeper".* = 0|execve resumed.* = 0'),
    ("it is linked", r"setresuid\(0, 0, 0\)"),
    ("it leaves its caller", r"flock\("),
    ("policy, the person's files, filter", r"clone3"),
    ("namespaces and mounts", r"pivot_root\("),
    ("home, PID 1 is sealed", r"seccomp\(SECCOMP_SET_MODE_FILTER, 0, \{len"),
    ("the module is told", r"setns\(\d+, CLONE_NEWNS\|CLONE_NEWUTS"),
    ("the session enters", r"seccomp\(SECCOMP_SET_MODE_FILTER, 0, \{len"),
    ("fork, to clsecure-shell", r'execve\("[^"]*/clsecure-shell"'),
    ("clsecure-shell, to bash", r'execve\("/bin/bash"'),
    ("bash, true, the session's end", None),
]


def trace():
    """The microseconds of each step of one login."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as f:
        su = ["su", "-", WORKER, "-c", "true"]
        strace = ["strace", "-f", "--seccomp-bpf", "-ttt", "-e", "trace=" + CALLS, "-e", "signal=none", "-o", f.name]
        run(*without_systemd(*strace, *su), stdout=subprocess.DEVNULL)
        lines = f.read().splitlines()
    su_pid = lines[0].split()[0]
    at, began, taken = 0, float(lines[0].split()[1]), []
    last = began
    for line in lines:
        pid, stamp, what = line.split(None, 2)
        if at < len(STEPS) - 1 and re.search(STEPS[at][1], what):
            taken.append((float(stamp) - last) * 1e6)
            last = float(stamp)
            at += 1
        elif pid == su_pid and what.startswith("exit_group") and at == len(STEPS) - 1:
            taken.append((float(stamp) - last) * 1e6)
    if len(taken) != len(STEPS):
        raise RuntimeError(f"after {len(taken)} steps '{STEPS[len(taken)][0]}' did not end")
    return taken


def steps():
    """Where a cold login's time goes, in microseconds (under strace, which adds some to each)"""
    rounds = []
    for _ in range(rounds_of(30)):
        nothing_of_ours()
        rounds.append(trace())
    return [Figure(name, median, [list(column)], unit="us") for (name, _), column in zip(STEPS, zip(*rounds))]


PARTS = [steps]
