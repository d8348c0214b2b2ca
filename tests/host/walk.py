#!/usr/bin/env python3
"""Makes one system call after the other fail in a login, and looks what becomes of it.

usage: walk.py keeper|su|su-tty NAME PART/PARTS few|many|all [ERRNO...]

keeper: the calls of the keeper and of what it starts, from its first own one to its last answer to
the login; by runuser -u, whose stack asks nobody but pam_clsecure and whose program no
clsecure-shell looks at first.  su, su-tty: the calls of su and of its child, from pam_clsecure's
session (the last that asked systemd is pam_systemd, before it) to the shell.  NAME: a project that
`prepare` of walk.bash has made; each part takes another one, so that they do not meet.

Each login must either have the whole wall (walled.py) or be refused with a reason, to the person
and in the log, without a program; and leave nothing.  Prints what is wrong; the status is 1 then.
In the environment, WALK_VERBOSE=1 shows each, WALK_ONLY has a pattern of "PROCESS CALL NUMBER".
"""
import errno
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

DOOR, NAME, PART, AMOUNT = sys.argv[1:5]
ERRNOS = [getattr(errno, name) for name in sys.argv[5:] or ("EPERM", "ENOMEM", "EMFILE")]
PART, PARTS = map(int, PART.split("/"))
WORKER = f"claude-worker-{NAME}"
PLACE = f"/run/inject/{NAME}"
CHECK = f"/home/walker/{NAME}/wall"
PROGRAM = ["python3", "-S", f"{CHECK}/walled.py", CHECK]
SECONDS = 30
# Not made to fail: close() has closed, the others cannot, or the C library ends the process.
DULL = {"close", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getpid", "gettid", "getuid",
        "geteuid", "getgid", "getegid", "munmap", "clock_gettime", "futex", "exit_group", "uname",
        "getrandom", "umask", "alarm", "lseek"}
# A failure of these may leave files in /run/clsecure (a keeper that could not tidy), which the next
# login must take away.
TIDIES = {"unlink", "unlinkat"}


def command():
    if DOOR == "keeper":
        return ["runuser", "-u", WORKER, "--", *PROGRAM]
    return ["/run/inject/inject", NAME, "su", "-", WORKER, "-c", " ".join(PROGRAM)]


def run_plain(argv):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=SECONDS)
    return p.returncode, p.stdout.decode(errors="replace")


def run_tty(argv):
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    out, end = b"", time.monotonic() + SECONDS
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        while select.select([master], [], [], .01)[0]:
            try:
                out += os.read(master, 65536)
            except OSError:  # nobody has the other end at the moment: su opens it again
                time.sleep(.01)
                break
        if done:
            break
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise subprocess.TimeoutExpired(argv, SECONDS)
    os.close(master)
    return os.waitstatus_to_exitcode(status), out.decode(errors="replace").replace("\r", "")


def login(argv):
    return (run_tty if DOOR == "su-tty" else run_plain)(argv)


class Call:
    def __init__(self, line):
        self.process, self.name, self.number, self.what = line.rstrip("\n").split(" ", 3)

    def __str__(self):
        return f"{self.process} {self.name} {self.number} ({self.what})"


def inject(what):
    with open(f"{PLACE}/which", "w") as f:
        f.write(what)


def inject_none():
    """And nothing is traced."""
    os.unlink(f"{PLACE}/which")


def calls():
    with open(f"{PLACE}/calls") as f:
        return [Call(line) for line in f]


def processes():
    """Of this project's sandbox, on the host."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/comm") as f:
                comm = f.read().strip()
            owner = os.stat(f"/proc/{pid}").st_uid
        except (FileNotFoundError, ProcessLookupError):
            continue
        ours = comm.startswith("clsecure-") and NAME.encode() in words
        if ours or owner in OWNERS or (comm == "clsecure-relay" and DOOR == "su-tty"):
            found.append(f"{comm}:{pid}")
    return found


def namespaces_held():
    """By a descriptor of some process: those need no process of their own."""
    held = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                to = os.readlink(f"/proc/{pid}/fd/{fd}")
                if re.match(r"(mnt|net|pid|user|ipc|uts|cgroup):\[", to):
                    held.append(f"{pid}/{fd}")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return held


def host_mounts():
    with open("/proc/1/mountinfo") as f:
        return {line.split(" ", 1)[1] for line in f}


def left():
    cgroups = [d for d, _, _ in os.walk("/sys/fs/cgroup")
               if re.search(rf"clsecure-(keeper|sandbox)-{NAME}-", d)]
    run = f"/run/clsecure/{NAME}"
    return {"processes": processes(), "mounts": host_mounts() - MOUNTS, "cgroups": cgroups,
            "run": [n for n in os.listdir(run) if n != "lock"] if os.path.isdir(run) else [],
            "namespaces": namespaces_held()}


def wait_for_nothing():
    end = time.monotonic() + 14  # a keeper that hangs ends after 10
    while True:
        now = left()
        if not any(now.values()) or time.monotonic() > end:
            return {k: v for k, v in now.items() if v}
        time.sleep(.02)


def chosen(every):
    """The calls to fail; few: of each process and call the first; many: the first two, and then
    each that is twice as far: loops make the same call again and again."""
    if DOOR == "keeper":
        first = next(i for i, c in enumerate(every) if c.name == "setgroups")
        last = max(i for i, c in enumerate(every) if c.process == "0" and c.name == "sendmsg") + 1
        own = every[first:last]
    else:
        last = max(i for i, c in enumerate(every)
                   if c.name == "execve" and c.what.endswith("/clsecure-shell"))
        enters = max(i for i, c in enumerate(every) if c.process == "0" and c.name == "setns")
        first = max(i for i, c in enumerate(every[:enters])
                    if c.process == "0" and c.name.startswith("epoll")) + 1
        own = [c for c in every[first:last] if c.process in ("0", every[last].process)]
    own = [c for c in own if c.name not in DULL and re.match(ONLY, str(c))]
    if AMOUNT == "all":
        return own
    seen, some = {}, []
    for c in own:
        n = seen[c.process, c.name] = seen.get((c.process, c.name), 0) + 1
        if n == 1 or (AMOUNT == "many" and n & (n - 1) == 0):
            some.append(c)
    return some


class Journal:
    """What the log has had since the last look."""

    def __init__(self):
        self.p = subprocess.Popen(["journalctl", "-qf", "-n0", "-o", "cat"], stdout=subprocess.PIPE)
        os.set_blocking(self.p.stdout.fileno(), False)
        self.text = ""
        time.sleep(.5)

    def take(self, pattern):
        end = time.monotonic() + 3
        while not re.search(pattern, self.text) and time.monotonic() < end:
            select.select([self.p.stdout], [], [], .1)
            self.text += (self.p.stdout.read() or b"").decode(errors="replace")
        found, self.text = bool(re.search(pattern, self.text)), ""
        return found


def judge(status, output, journal):
    if "walled" in output.split():
        return None if status == 0 else f"walled, and status {status}"
    if "begun" in output.split():
        return "A PROGRAM RAN WITHOUT THE WHOLE WALL"
    if status == 0:
        return "refused with status 0"
    if DOOR == "keeper" and not re.search(r"clsecure: .{8}", output):
        return "refused without a reason"
    if DOOR == "keeper" and not journal.take(rf"refused: .|{NAME}: no sandbox: .|{WORKER}"):
        return "refused without a reason in the log"
    return None


def one(call, error, journal):
    inject(f"{call.process} {call.name} {call.number} {error}\n")
    try:
        status, output = login(command())
    except subprocess.TimeoutExpired:
        status, output = 0, "it hung"
    wrong = judge(status, output, journal)
    inject_none()
    rest = wait_for_nothing()
    if list(rest) == ["run"] and call.name in TIDIES:
        status, output = login(command())
        if status != 0 or "walled" not in output:
            wrong = wrong or f"the next login: {status} {output}"
        rest = wait_for_nothing()
    if rest:
        wrong = f"{wrong or ''} left: {rest}"
    if VERBOSE:
        print(call, errno.errorcode[error], status, output.split("\n")[0][:100], flush=True)
    if wrong:
        print(f"{call} {errno.errorcode[error]}: {wrong}; status {status}: {output.strip()}",
              flush=True)
    return not wrong, "walled" in output


def main():
    journal = Journal()
    inject("0 none 0 0\n")
    status, output = login(command())
    if status != 0 or "walled" not in output or wait_for_nothing():
        sys.exit(f"nothing failed, and yet: {status} {output} {left()}")
    mine = chosen(calls())[PART - 1::PARTS]
    good = walled = 0
    for i, call in enumerate(mine):
        ok, whole = one(call, ERRNOS[i % len(ERRNOS)], journal)
        good += ok
        walled += whole
        if i % 10 == 0:
            status, output = login(command())
            if "walled" not in output:
                print(f"after {call} the next login: {status} {output}", flush=True)
                good -= 1
            wait_for_nothing()
    journal.p.kill()
    print(f"{DOOR} {NAME}: {len(mine)} calls failed, {walled} logins with the whole wall, "
          f"{len(mine) - walled} refused, {len(mine) - good} wrong")
    sys.exit(good != len(mine))


VERBOSE = bool(os.environ.get("WALK_VERBOSE"))
ONLY = os.environ.get("WALK_ONLY", "")
MOUNTS = host_mounts()
OWNERS = [int(subprocess.check_output(["id", "-u", name])) for name in (WORKER, "clsecure-pasta")]
main()
