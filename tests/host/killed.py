#!/usr/bin/env python3
"""Kills add, set or remove at one system call after the other, and looks what is left of it.

usage: killed.py add|set|remove PART/PARTS changes|all

changes: at the calls that change something, wait or start a program; between two of those a kill leaves
what it leaves at the second.  all: at every one, also of the processes that are started.

At every other one the process that waits for it is killed with it, so that nobody tidies up before the
next writer.  The project must then be as before or as after, wholly; all others as they were; and the
same command must work, or say that it is done.  Prints what is wrong; the status
is 1 then.  KILLED_VERBOSE=1 shows each.
"""
import json
import os
import re
import subprocess
import sys

OP, PART, AMOUNT = sys.argv[1:4]
PART, PARTS = map(int, PART.split("/"))
STATE = "/var/lib/clsecure"
UNITS = "/etc/systemd/system"
NAME = f"kill{PART}"
USER, PATH, PLACE = f"claude-worker-{NAME}", f"/home/victim/{NAME}", f"/run/inject/{NAME}"
CHANGES = re.compile("symlink|rename|unlink|mkdir|chown|chmod|write|fsync|flock|sendmsg|exec|clone|fork|kill|mount")
LEFT = re.compile(rf"/\.new$|/\.project\.conf\.new$|/\.old-{NAME}\.\d")
COMMANDS = {
    "add": ["clsecure", "add", PATH, "--name", NAME, "MaxSessions=3"],
    "set": ["clsecure", "set", NAME, "MaxSessions=5", "SetEnv=A=1 B=2"],
    "remove": ["clsecure", "remove", "--yes", NAME],
}
DONE = {"add": f"is project '{NAME}' already", "set": None, "remove": f"there is no project '{NAME}'"}


def run(*argv):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace")


def must(*argv):
    status, text = run(*argv)
    if status != 0:
        raise RuntimeError(f"{argv}: {status} {text}")
    return text


def entries():
    """What the state has, by path: a link's target, a file's text, the owner of a directory."""
    found = {}
    for top in (STATE, UNITS):
        for folder, folders, files in os.walk(top):
            for name in files + folders:
                path = f"{folder}/{name}"
                if os.path.islink(path):
                    found[path] = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, errors="replace") as f:
                        found[path] = re.sub(r"(Created|Changed)=\d+", r"\1=", f.read())
                else:
                    found[path] = os.stat(path).st_uid
    return found


def ours(path, target):
    """Is it of the project that the command is about, or kept after it?"""
    return (NAME in path or path.startswith(f"{STATE}/paths/") and str(target).startswith(f"{NAME}:")
            or path.startswith(f"{STATE}/registry/uid/") and f":{USER}:" in str(target)
            or path.startswith(UNITS) and str(UID) in path)


def split(found):
    kept = (f"{STATE}/tombstones/", f"{STATE}/registry/map", f"{STATE}/keys", f"{STATE}/clsecured")
    found = {p: t for p, t in found.items() if not p.startswith(kept)}
    mine = {p: t for p, t in found.items() if ours(p, t)}
    return mine, {p: t for p, t in found.items() if p not in mine}


def differs(is_, was):
    return [p for p in is_.keys() | was.keys() if is_.get(p) != was.get(p)]


def prepare():
    """The state before the command."""
    there = run("clsecure", "info", NAME)[0] == 0
    if there and OP in ("add", "set"):
        must(*COMMANDS["remove"])
    if OP != "add" and (OP == "set" or not there):
        must(*COMMANDS["add"])


def inject(what):
    with open(f"{PLACE}/which", "w") as f:
        f.write(what + "\n")
    try:
        return run("/run/inject/inject", NAME, *COMMANDS[OP])
    except subprocess.TimeoutExpired:
        sys.exit(f"{OP} with {what}: it hangs\n" + run("ps", "-eo", "pid,ppid,stat,wchan:24,user,args", "--forest")[1])


def calls():
    with open(f"{PLACE}/calls") as f:
        return [line.lstrip("!").rstrip("\n").split(" ", 3) for line in f]


def chosen(every):
    """From the request's arrival on, and not of the process that only asks."""
    first = next(i for i, c in enumerate(every) if c[0] == "1" and c[1] in ("recvmsg", "recvfrom"))
    own = [c for c in every[first:] if c[0] != "0"]
    if AMOUNT == "changes":
        own = [c for c in own if c[0] == "1" and CHANGES.search(c[1])]
    return own


def judge(before, after, others, everybody):
    """After the kill; None, or what is wrong."""
    status, text = run("clsecure", "list", "--json")
    if status != 0 or not any(p["project"] == "bystander" for p in json.loads(text)["projects"]):
        return f"list: {status} {text}"
    if everybody:  # else who waited for the process has tidied up
        run("clsecure", "add", "/home/victim/killbystander")  # the next writer, who is refused
    # What has a name that nobody believes is taken away by the next who makes or removes something.
    mine, rest = split({p: t for p, t in entries().items() if not LEFT.search(p)})
    if differs(rest, others):
        return f"others: {differs(rest, others)}"
    if mine not in (before, after):
        return f"torn: not before {differs(mine, before)}, not after {differs(mine, after)}"
    status, text = run("clsecure", "doctor")
    if NAME in text:
        return f"doctor: {text}"
    status, text = run(*COMMANDS[OP])
    if status != 0 and (mine != after or DONE[OP] is None or DONE[OP] not in text):
        return f"again: {status} {text}"
    mine, rest = split(entries())
    return f"after it was done again: {differs(mine, after)}" if mine != after or differs(rest, others) else None


def main():
    prepare()
    before, others = split(entries())
    status, text = inject("0 none 0 0")
    if status != 0:
        sys.exit(f"nothing was killed, and yet: {status} {text}")
    after, rest = split(entries())
    if differs(rest, others) or before == after:
        sys.exit(f"it changed {differs(rest, others)}, and of the project {differs(before, after)}")
    mine = chosen(calls())[PART - 1::PARTS]
    wrong = done = 0
    for i, (process, name, number, what) in enumerate(mine):
        prepare()
        everybody = i % 2 == 1
        status, text = inject(f"{process} {name} {number} {-99 if everybody else -9}")
        hit = [process, name, number] in [line[:3] for line in calls()]
        bad = judge(before, after, others, everybody)
        done += status == 0
        if bad or os.environ.get("KILLED_VERBOSE"):
            print(f"{OP} {process} {name} {number} ({what}){'' if hit else ', not reached'}: {status}: {bad}", flush=True)
        wrong += bad is not None
    print(f"{OP} {PART}/{PARTS}: killed at {len(mine)} calls, {wrong} wrong, {done} with status 0")
    sys.exit(wrong > 0)


must(*COMMANDS["add"]) if run("clsecure", "info", NAME)[0] != 0 else None
UID = int(must("id", "-u", USER))
main()
