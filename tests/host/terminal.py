#!/usr/bin/env python3
"""A person at a terminal: an interactive bash on a pty, in which a door into a sandbox is opened and used.

usage: terminal.py PERSON WORKER CASE DOOR

DOOR is the command line of an interactive login (`su - WORKER`); CASE is a function below, case_CASE. Each begins at the
outer prompt and must end there, with the terminal as it was and, when the worker has nothing else open, nothing of it
left. Says nothing and exits 0, or says what went wrong and what was on the screen.
"""
import fcntl
import hashlib
import os
import pty
import pwd
import re
import select
import signal
import struct
import sys
import termios
import threading
import time

WAIT = 15
OUT, IN = b"out> ", b"in> "


class Failure(Exception):
    pass


class Terminal:
    """The pty; what it shows is kept in `screen` until see() has passed it."""

    def __init__(self, person, argv, **environment):
        self.screen, self.seen, self.ended = b"", b"", False
        entry = pwd.getpwnam(person)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.fchown(0, entry.pw_uid, 5)
            os.initgroups(person, entry.pw_gid)
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            os.chdir(entry.pw_dir)
            os.execvpe(argv[0], argv, {
                "HOME": entry.pw_dir, "USER": person, "LOGNAME": person, "SHELL": "/bin/bash", "TERM": "xterm",
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", **environment})
        self.resize(24, 1000)  # no line is long enough for readline to break it

    def read(self, timeout):
        """Whether something came."""
        if self.ended or not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.ended = data == b""
        self.screen += data
        self.seen = (self.seen + data)[-20000:]
        return not self.ended

    def see(self, pattern, wait=WAIT):
        end = time.monotonic() + wait
        while not (found := re.search(pattern, self.screen, re.DOTALL)):
            left = end - time.monotonic()
            if left <= 0 or (self.ended and not found):
                raise Failure(f"not seen: {pattern!r}")
            self.read(left)
        self.screen = self.screen[found.end():]
        return found

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def run(self, command, prompt):
        """Types a command; what it printed."""
        self.type(command + "\n")
        self.see(re.escape(command.encode()) + b"\r\n")
        output = self.see(b"(.*?)" + re.escape(prompt)).group(1)
        return re.sub(b"\x1b(?:\\[[0-9;?]*[a-zA-Z]|[(].|>)|\r", b"", output).decode()

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def state(self):
        return termios.tcgetattr(self.fd)

    def quiet(self, seconds, text):
        """Must not show `text` that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)
            if text in self.screen:
                raise Failure(f"shown: {text!r}")

    def rest(self, seconds):
        """Until nothing has come that long; it counts as seen."""
        while self.read(seconds):
            pass
        self.screen = b""

    def hang_up(self):
        os.close(self.fd)
        self.fd, self.ended = os.open("/dev/null", os.O_RDWR), True

    def wait(self):
        """The status of the pty's first process, as a shell says it."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            self.read(.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise Failure("it does not end")


def processes(worker=None, name=None, parent=None, state=None):
    found = []
    uid = worker and pwd.getpwnam(worker).pw_uid
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                s = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if s["State"].startswith("Z") or (uid and int(s["Uid"].split()[0]) != uid):
            continue
        if (state and s["State"][0] != state) or (name and s["Name"] != name[:15]) or (parent and int(s["PPid"]) != parent):
            continue
        found.append(int(pid))
    return found


def until(check, what):
    end = time.monotonic() + WAIT
    while not check():
        if time.monotonic() > end:
            raise Failure(what)
        time.sleep(.05)


class Inside(Terminal):
    """What can be done at the inner prompt."""

    worker = None

    def settle(self):
        """Makes the inner prompt one that can be told."""
        self.type("PS1='in''> '; bind 'set enable-bracketed-paste off'; unset PROMPT_COMMAND\n")
        self.see(b"\n(?:\x1b\\[[0-9;?]*[a-zA-Z]|\r)*" + re.escape(IN))

    def only_its_own(self):
        """No process of the worker holds a terminal of the host."""
        host = os.stat("/dev/pts").st_dev
        for pid in processes(self.worker):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.stat(f"/proc/{pid}/fd/{fd}").st_dev == host:
                    raise Failure(f"descriptor {fd} inside is a terminal of the host")
        self.expect("tty | cut -d/ -f1-3; : </dev/tty && echo controlled", "/dev/pts\ncontrolled\n")

    def inside(self, command):
        return self.run(command, IN)

    def expect(self, command, output, prompt=IN):
        got = self.run(command, prompt)
        if got != output:
            raise Failure(f"{command}: {got!r}, not {output!r}")

    def nothing_left(self):
        for name in ("clsecure-relay", "clsecure-keeper"):
            until(lambda n=name: not processes(name=n), f"{name} is left")
        until(lambda: not processes(self.worker), "a process of the worker is left")


class Leader(Inside):
    """The door leads the terminal's session, as by `ssh -tt host su - WORKER`."""

    def __init__(self, name, worker, door):
        super().__init__(name, door.split())
        self.worker = worker
        self.before = self.state()

    def enter(self):
        self.see(b"\\$ ")
        self.settle()
        self.only_its_own()


class Person(Inside):
    """In an interactive bash with job control."""

    def __init__(self, name, worker, door):
        super().__init__(name, ["bash", "--norc", "--noprofile", "-i"], PS1="out> ", HISTFILE="/dev/null")
        self.worker, self.door = worker, door
        self.see(re.escape(OUT))
        self.run("bind 'set enable-bracketed-paste off'", OUT)
        self.before = self.run("stty -g", OUT)

    def enter(self):
        self.type(self.door + "\n")
        self.see(re.escape(self.door.encode()) + b"\r\n.*\\$ ")
        self.settle()
        self.only_its_own()

    def leave(self, status=0):
        self.type(f"exit {status}\n")
        self.see(re.escape(OUT))
        self.expect("echo $?", f"{status}\n", OUT)

    def door_pid(self):
        """The program that the door is, which holds the session."""
        name = self.door.split()[0]
        until(lambda: processes(name=name, parent=self.pid), f"no {name} runs")
        return processes(name=name, parent=self.pid)[0]

    def finish(self):
        """At the outer prompt: everything as before."""
        if self.ended:
            return
        self.expect("stty -g", self.before, OUT)
        self.expect("echo still $((40 + 2))", "still 42\n", OUT)
        self.nothing_left()
        self.type("exit\n")
        if self.wait() != 0:
            raise Failure("the outer shell ended badly")


def case_interrupt(p):
    p.enter()
    p.type("sleep 1000\n")
    until(lambda: processes(p.worker, "sleep"), "no sleep runs")
    p.type("\x03")
    p.see(re.escape(IN))
    p.expect("echo $?", "130\n")
    p.type("half a line")
    p.see(b"half a line")
    p.type("\x03")
    # A bash that was just before its read() sees ^C with the next key: 1 in 100, also outside.
    try:
        p.see(re.escape(IN), 3)
    except Failure:
        p.type("\x03")
        p.see(re.escape(IN))
    p.expect("echo whole", "whole\n")
    p.leave(3)


def case_suspend(p):
    """A job inside stops inside."""
    p.enter()
    p.type("cat\n")
    until(lambda: processes(p.worker, "cat"), "no cat runs")
    p.type("\x1a")
    p.see(b"Stopped.*" + re.escape(IN))
    p.expect("echo on", "on\n")
    p.type("fg\n")
    p.see(b"cat\r\n")
    p.type("hello\n")
    p.see(b"hello\r\nhello\r\n")
    p.type("\x04")
    p.see(re.escape(IN))
    p.leave()


def case_suspend_door(p):
    """The shell inside stops itself: the door stops with it, and the outer terminal is the outer shell's."""
    p.enter()
    p.type("kill -STOP $$\n")
    p.see(b"Stopped.*" + re.escape(OUT))
    p.rest(.5)  # the relay, which su does not wait for, may bring the last newline of inside
    p.expect("stty -g", p.before, OUT)
    p.expect("echo $((6 * 7))", "42\n", OUT)
    p.type("fg\n")
    p.see(re.escape(p.door.encode()) + b"\r\n")
    p.type("echo again $((6 * 7))\n")
    p.see(b"again 42\r\n.*" + re.escape(IN))
    p.leave()


def case_background(p):
    """Started in the background: it waits there, and takes the terminal when it is called to the front."""
    p.type(p.door + " &\n")
    p.see(b"\\[1\\] [0-9]+.*\\$ ")  # what it shows comes, as of any program in the background
    p.expect("stty -g", p.before, OUT)
    p.run("echo outside", OUT)
    p.type("fg\n")
    p.see(re.escape(p.door.encode()) + b"\r\n")
    time.sleep(.5)
    p.settle()
    p.expect("id -un", p.worker + "\n")
    p.leave()


def case_resize(p):
    p.enter()
    p.expect("stty size", "24 1000\n")
    p.resize(50, 1320)
    until(lambda: p.inside("stty size") == "50 1320\n", "the size does not get in")
    p.type("bash -c \"trap 'stty size; exit' WINCH; echo wait; while :; do sleep .1; done\"\n")
    p.see(b"\nwait\r\n")
    p.resize(30, 900)
    p.see(b"30 900\r\n")
    p.see(re.escape(IN))
    p.leave()


def case_eof(p):
    p.enter()
    p.inside("echo last")
    p.type("\x04")
    p.see(re.escape(OUT))
    p.expect("echo $?", "0\n", OUT)


def case_status(p):
    for status in (0, 1, 77, 255):
        p.enter()
        p.leave(status)


def case_command(p):
    """DOOR is without the command."""
    p.type(f"{p.door} 'sleep 1000'\n")
    until(lambda: processes(p.worker, "sleep"), "no sleep runs")
    p.type("\x03")
    p.see(re.escape(OUT))
    p.expect("echo $?", "130\n", OUT)
    p.expect(f"{p.door} 'tty >/dev/null && exit 5'; echo $?", "5\n", OUT)
    p.expect(f"{p.door} 'echo in | cat; kill -9 $$'; echo $?", "in\nKilled\n137\n", OUT)  # the door says so


def paste(p, data):
    def write():
        at = 0
        while at < len(data):
            at += os.write(p.fd, data[at:at + 65536])
    writer = threading.Thread(target=write)
    writer.start()
    return writer


def case_paste(p):
    """1 MiB arrives whole: to a program that reads single bytes, and to one that reads lines."""
    p.enter()
    data = bytes(33 + i * 7 % 90 for i in range(1 << 20))
    p.type("stty raw -echo; echo ready; head -c 1048576 | sha256sum; stty sane\n")
    p.see(b"\nready")
    writer = paste(p, data)
    p.see(hashlib.sha256(data).hexdigest().encode(), 60)
    writer.join()
    p.see(re.escape(IN))
    data = b"".join(b"%07d of a pasted file, which is a line\n" % i for i in range(24000))
    p.type("stty -echo; echo ready; sha256sum; stty echo\n")
    p.see(b"\nready")
    writer = paste(p, data + b"\x04")
    p.see(hashlib.sha256(data).hexdigest().encode(), 60)
    writer.join()
    p.see(re.escape(IN))
    p.leave()


def case_flood(p):
    """Output without an end, and ^C gets through it."""
    p.enter()
    p.type("yes\n")
    p.see(b"y\r\ny\r\ny\r\n")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        p.read(.1)
        p.screen = b""
    p.type("\x03")
    p.see(re.escape(IN))
    p.leave()


def case_modes(p):
    """A program that leaves the terminal's modes on."""
    p.enter()
    p.inside("stty -echo -icanon -isig; printf '\\033[?1003h\\033[?2004h\\033[?25l'; stty sane")
    p.type("exit\n")
    p.see(b"\x1b\\[\\?25h.*\x1b\\[\\?1003l.*\x1b\\[\\?2004l")
    p.see(re.escape(OUT))


def killed(p, pids):
    if not pids:
        raise Failure("nothing to kill")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    p.see(re.escape(OUT))
    # A door that was killed waits for nobody: the outer shell is there before the terminal is reset.
    until(lambda: not processes(name="clsecure-relay"), "clsecure-relay is left")
    p.run("true", OUT)


def case_kill_door(p):
    p.enter()
    killed(p, [p.door_pid()])


def case_kill_relay(p):
    p.enter()
    relays = processes(name="clsecure-relay")
    # One of the two is the guard of the other, its child.
    killed(p, [r for r in relays if processes(name="clsecure-relay", parent=r)])


def case_kill_keeper(p):
    p.enter()
    killed(p, processes(name="clsecure-keeper"))


def case_kill_shell(p):
    p.enter()
    killed(p, processes(p.worker))


def case_hangup(p):
    """The window is closed."""
    p.enter()
    p.hang_up()
    p.nothing_left()


KEPT = (
    "import os, signal, sys, time",
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)",
    "os.fork() and sys.exit()",
    "os.setsid()",
    "log = open(\"/tmp/kept\", \"w\", buffering=1)",
    "def attempt(what, *arguments):",
    "    try:",
    "        print(what.__name__, what(*arguments), file=log)",
    "    except OSError as e:",
    "        print(what.__name__, e.errno, file=log)",
    "time.sleep(1)",
    "for i in range(40):",
    "    for fd in (0, 1, 2):",
    "        attempt(os.write, fd, b\"FORGED\\n\")",
    "        attempt(os.read, fd, 99)",
    "    time.sleep(.1)",
)


def case_kept(p):
    """A process of the worker that kept the terminal reads nothing of what is typed afterwards, and shows nothing."""
    p.enter()
    keep = "/tmp/kept.py"
    for line in KEPT:
        p.inside(f"echo '{line}' >>{keep}")
    # A second login holds the sandbox, or its end would be everything's.
    other = Terminal("root", ["su", "-", p.worker, "-c", "echo holding; cat"])
    other.see(b"holding")
    p.type(f"python3 {keep}; exit\n")
    p.see(re.escape(OUT))
    p.screen = b""
    p.type("echo SECRET\n")
    p.see(b"SECRET\r\nSECRET\r\n")
    p.quiet(1, b"FORGED")
    log = ""
    end = time.monotonic() + WAIT
    while "write 5" not in log and time.monotonic() < end:
        look = Terminal("root", ["su", "-", p.worker, "-c", "cat /tmp/kept; echo end"])
        log = look.see(b"(.*)end").group(1).decode()
        look.wait()
    if "SECRET" in log or "read b'" in log.replace("read b''", ""):
        raise Failure(f"it read what was typed: {log}")
    if "write 5" not in log or "read" not in log:
        raise Failure(f"it did not try: {log}")
    other.type("\x04")
    other.wait()


def case_pipe_in(p):
    """Standard input is a pipe: what is typed stays the outer shell's, and the terminal is never raw."""
    out = p.run(f"echo 'tty; test -t 1 && echo shown; read x; echo got $x' | {p.door} 2>/dev/null", OUT)
    if "shown\n" not in out:
        raise Failure(f"a pipe on standard input: {out!r}")
    p.expect("echo next", "next\n", OUT)


def case_pipe_out(p):
    """Standard output is a pipe, standard input the terminal."""
    p.type(f"{p.door} | tr a-z A-Z\n")
    p.see(b"\\$ ")
    p.settle()
    p.type("echo piped; test -t 1 || echo 'not a terminal'\n")
    p.see(b"PIPED\r\n.*NOT A TERMINAL\r\n")
    p.type("exit 4\n")
    p.see(re.escape(OUT))
    p.expect("echo ${PIPESTATUS[0]}", "4\n", OUT)


def case_leader(p):
    p.enter()
    p.type("sleep 1000\n")
    until(lambda: processes(p.worker, "sleep"), "no sleep runs")
    p.type("\x1a")
    p.see(b"Stopped.*" + re.escape(IN))
    p.type("fg\n")
    until(lambda: processes(p.worker, "sleep", state="S"), "it does not go on")
    p.type("\x03")
    p.see(re.escape(IN))
    p.resize(50, 1320)
    until(lambda: p.inside("stty size") == "50 1320\n", "the size does not get in")
    p.type("exit 9\n")
    if p.wait() != 9:
        raise Failure("another exit status")
    if p.state() != p.before:
        raise Failure("the terminal is not as it was")


def case_leader_kill(p):
    p.enter()
    os.kill(p.pid, signal.SIGKILL)
    if p.wait() != -signal.SIGKILL:
        raise Failure("another exit status")
    until(lambda: p.state() == p.before, "the terminal is not as it was")


def case_leader_hangup(p):
    p.enter()
    p.hang_up()
    p.wait()


def main():
    person, worker, case, door = sys.argv[1:]
    p = (Leader if case.startswith("leader") else Person)(person, worker, door)
    try:
        globals()["case_" + case](p)
        if isinstance(p, Person):
            p.finish()
        else:
            p.nothing_left()
    except Failure as e:
        p.read(.2)
        sys.exit(f"{case}, {door}: {e}\non the screen: {p.seen[-3000:]!r}")


main()
