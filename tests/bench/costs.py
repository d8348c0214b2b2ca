"""What being inside costs: system calls."""
from measure import Figure, Side, interleave, ratio_of_pairs
from place import BIN, WORKER, Held, bash

TOTAL, BLOCKS = 2_000_000, 100


def unfiltered(*argv):
    """In the same sandbox, as the same user, without the filter: nsenter is root's, and no door."""
    pid = bash(f"pgrep -n -u {WORKER} -x cat")
    uid = bash(f"id -u {WORKER}")
    return [
        *("nsenter", "-t", pid, "-m", "-p", "-n", "-i", "-u", "-C"),
        *("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--bounding-set", "-all", "--no-new-privs"),
        *argv,
    ]


def syscalls():
    """System calls with the filter and without, in one sandbox"""
    figures = []
    for call, limit in (("getppid", 1.02), ("openat", 1.05)):
        block = [BIN + "calls", call, str(TOTAL // BLOCKS)]
        with Held():
            sides = [
                Side("filtered", ["su", "-", WORKER, "-c", " ".join(["exec", *block, "2"])]),
                Side("unfiltered", unfiltered(*block, "0")),
            ]
            taken = interleave(sides, BLOCKS)
        columns = [taken["filtered"], taken["unfiltered"]]
        figures.append(Figure(f"{call}, filtered / not", ratio_of_pairs, columns, ("reaches", limit), sides=taken))
    return figures


PARTS = [syscalls]
