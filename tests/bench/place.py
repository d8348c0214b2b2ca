"""What the bench stands on: the programs, persons and projects of a test host."""
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, "..", "host", "lib.bash")
BIN = "/usr/local/bin/bench-"
WORKER = "claude-worker-bench"
PROJECT = "/home/ben/bench"
# The mounts that a measured session must have, beside the filter.
MOUNTS = [
    *("/", "/usr", "/opt", "/dev", "/dev/null", "/dev/pts", "/dev/shm", "/tmp", "/var/tmp", "/run"),
    *("/proc", "/proc/sys", "/proc/keys", "/proc/kallsyms", "/proc/interrupts", "/proc/bus", "/proc/irq"),
    *("/home/" + WORKER, PROJECT, PROJECT + "/.git/hooks"),
]


def run(*argv, **more):
    return subprocess.run(argv, check=True, text=True, **more)


def bash(script, *args):
    """A script with the helpers of the host tests; what it prints."""
    return run("bash", "-ec", f". {LIB}\n{script}", "-", *args, stdout=subprocess.PIPE).stdout.strip()


def prepare():
    for name in ("timer", "true", "calls", "lookups", "net"):
        run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", BIN + name, f"{HERE}/{name}.c")
    bash(
        """make_person ben; make_person plain
        as_person ben cat .ssh/id_ed25519.pub | as_person plain tee -a .ssh/authorized_keys >/dev/null
        make_project ben bench
        as_person ben clsecure add /home/ben/bench
        info=$(clsecure info bench)
        grep -q 'Linger  *default  *0$' <<<"$info"
        # As a worker: a user manager is no part of the difference.
        uid=$(id -u plain)
        for unit in user@$uid user-runtime-dir@$uid; do
            mkdir -p /run/systemd/system/$unit.service.d
            printf '[Unit]\\nConditionPathExists=/nonexistent\\n' >/run/systemd/system/$unit.service.d/bench.conf
        done
        install -d -m 700 -o plain -g plain /run/user/$uid
        systemctl daemon-reload"""
    )
    run("systemctl", "stop", "-q", "clsecured.service")


def as_user(name, *argv):
    """argv as that user, by no door: no PAM, nothing of ours."""
    uid, gid = (bash(f"id -{letter} {name}") for letter in "ug")
    return [
        *("setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", "--reset-env"),
        *("env", "-C", "/", "HOME=/home/" + name, *argv),
    ]


def without_systemd(*argv):
    """argv as PID 1 of a host on which there is no systemd: nobody makes scopes."""
    script = 'mount -t tmpfs none /run/systemd; mount -t tmpfs none /run/dbus; exec "$@"'
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", script, "-", *argv]


def look_round(inside):
    return " ".join([BIN + "true", "inside" if inside else "outside", *MOUNTS])


def processes_of_ours():
    """The living; a zombie is its parent's affair."""
    ours = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                comm, _, rest = f.read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if comm.startswith("clsecure") and rest.split()[0] != "Z":
            ours.append(f"{pid} {comm}")
    return ours


def nothing_of_ours():
    """Waits until no process of ours is left: not even clsecured, whose socket systemd holds."""
    end = time.monotonic() + 5
    while processes_of_ours():
        if time.monotonic() > end:
            raise RuntimeError("a process is left of the login before: " + ", ".join(processes_of_ours()))
        time.sleep(0.01)
    time.sleep(0.03)


def pause():
    """What the login before left to others (logind, systemd, sshd) is done."""
    time.sleep(0.03)


class Held:
    """A session that stays open: who comes now joins."""

    def __init__(self, user=WORKER):
        argv = ["su", "-", user, "-c", "echo in; exec cat"]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline() != "in\n":
            raise RuntimeError("no session could be opened")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
