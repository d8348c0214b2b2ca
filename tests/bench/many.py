"""What sandboxes that stand cost: memory, and the next one."""
import time

from measure import Figure, median, rounds_of
from place import Held, bash, processes_of_ours

SANDBOXES, EDGE = 500, 30


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def memory():
    """The memory of the keeper and PID 1 of one sandbox with one session"""
    sums = []
    for _ in range(rounds_of(30)):
        with Held():
            pids = [int(who.split()[0]) for who in processes_of_ours() if who.split()[1] != "clsecured"]
            if len(pids) != 2:
                raise RuntimeError(f"keeper and PID 1 were expected: {processes_of_ours()}")
            sums.append(sum(map(pss_kib, pids)))
        time.sleep(0.2)
    return [Figure("keeper and PID 1, PSS", median, [sums], ("<=", 1024), unit="KiB")]


def of_the_last(last, first):
    return median(last) / median(first)


def five_hundred():
    """500 sandboxes that stand at once: what opening the last ones takes, beside the first"""
    n = rounds_of(SANDBOXES)
    edge = min(EDGE, n // 2)
    bash(
        """mkdir -p /etc/clsecure
        printf '[Admin]\\nMaxProjects=1000\\n' >>/etc/clsecure/clsecure.conf
        as_person ben sh -ec 'for i in $(seq $1); do
            mkdir -p many/m$i; clsecure add many/m$i --name m$i
        done' - "$1" >/dev/null""",
        str(n),
    )
    took, held = [], []
    try:
        for i in range(1, n + 1):
            began = time.monotonic_ns()
            held.append(Held(f"claude-worker-m{i}").__enter__())
            took.append(time.monotonic_ns() - began)
        standing = sum("keeper" in who for who in processes_of_ours())
        if standing != n:
            raise RuntimeError(f"{standing} sandboxes stand, not {n}")
    finally:
        for session in held:
            session.__exit__()
    first, last = took[:edge], took[-edge:]
    sides = {f"first {edge}": first, f"last {edge}": last}
    return [Figure(f"the last of {n} / the first", of_the_last, [last, first], ("<=", 1.5), sides=sides)]


PARTS = [memory, five_hundred]
