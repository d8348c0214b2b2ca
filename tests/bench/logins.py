"""What a login costs: cold, joining, by ssh."""
from measure import Figure, Side, interleave, ratio_of_difference, ratio_of_pairs
from place import (
    BIN,
    WORKER,
    Held,
    as_user,
    look_round,
    nothing_of_ours,
    pause,
    without_systemd,
)

TIMER = BIN + "timer"
# A test host looks like a sandbox to firejail, in which it makes none; in a container it does.
FIREJAIL = [
    *("env", "container=lxc", "firejail", "--quiet", "--net=none", "--private-dev", "--private-tmp", "--noroot"),
    *("--caps.drop=all", "--seccomp"),
]


def su(user, inside):
    return [TIMER, "su", "-", user, "-c", look_round(inside)]


def others(settle, place):
    return [
        Side("bwrap", place(*as_user("plain", TIMER, "bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")), settle),
        Side("firejail", place(*as_user("plain", TIMER, *FIREJAIL, BIN + "true", "inside")), settle),
    ]


def logins(what, rounds, settle, place, target):
    sides = [
        Side("worker", place(*su(WORKER, True)), settle),
        Side("plain", place(*su("plain", False)), settle),
        *others(settle, place),
    ]
    taken = interleave(sides, rounds)
    worker, plain = taken["worker"], taken["plain"]
    return [
        Figure(f"{what}, in bwraps", ratio_of_difference, [worker, plain, taken["bwrap"]], target, sides=taken),
        Figure(f"{what}, in firejails", ratio_of_difference, [worker, plain, taken["firejail"]]),
    ]


def here(*argv):
    return list(argv)


def cold():
    """A first login, which makes the sandbox, over a plain user's"""
    return [
        *logins("cold, no systemd", 60, nothing_of_ours, without_systemd, ("<=", 0.5)),
        *logins("cold, with scopes", 60, nothing_of_ours, here, ("<=", 1.0)),
    ]


def join():
    """A login into a sandbox that stands, over a plain user's"""
    with Held():
        return logins("joining", 100, pause, here, ("<=", 0.06))


def ssh():
    """ssh worker true / ssh plain true, into a sandbox that stands"""
    door = "ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null".split()
    sides = [
        Side(name, as_user("ben", TIMER, *door, f"{user}@localhost", look_round(inside)), pause)
        for name, user, inside in (("worker", WORKER, True), ("plain", "plain", False))
    ]
    with Held():
        taken = interleave(sides, 100)
    return [Figure("ssh, worker / plain", ratio_of_pairs, [taken["worker"], taken["plain"]], ("<=", 1.05), sides=taken)]


PARTS = [cold, join, ssh]
