"""Pairs that are measured in turns, and what they say.

A side is a process that measures once for each line it is given, and answers with nanoseconds (timer.c, calls.c,
lookups.c). The sides of a figure take turns, in an order drawn anew each round, so that what else the machine does
meets all of them. A figure is a statistic of whole rounds; its interval comes from drawing rounds with replacement.
"""
import random
import statistics
import subprocess

DRAWS = 2000
WARM_UP = 2
rounds_at_most = None

median = statistics.median


class Side:
    """One of the things that are compared. `before` runs untimed ahead of each measurement."""

    def __init__(self, name, argv, before=None, **popen):
        self.name, self.argv, self.before = name, argv, before
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, **popen
        )

    def measure(self):
        if self.before:
            self.before()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: it ended with {self.process.wait()}: {' '.join(self.argv)}")
        return int(line)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def rounds_of(rounds):
    return min(rounds, rounds_at_most or rounds)


def interleave(sides, rounds):
    """{name: [ns of each round]}; closes the sides."""
    rounds = rounds_of(rounds)
    order = list(sides)
    taken = {side.name: [] for side in sides}
    try:
        for number in range(-WARM_UP, rounds):
            random.shuffle(order)
            for side in order:
                took = side.measure()
                if number >= 0:
                    taken[side.name].append(took)
    finally:
        for side in sides:
            side.close()
    return taken


def interval(statistic, *columns):
    """Its 95% interval over rounds: statistic(column...) of rounds drawn with replacement."""
    rng = random.Random(1)
    n = len(columns[0])
    values = []
    for _ in range(DRAWS):
        rows = rng.choices(range(n), k=n)
        values.append(statistic(*([column[i] for i in rows] for column in columns)))
    values.sort()
    return values[int(DRAWS * 0.025)], values[int(DRAWS * 0.975)]


def ratio_of_pairs(a, b):
    return median(x / y for x, y in zip(a, b))


def ratio_of_difference(a, b, unit):
    """(a - b) / unit: what one login costs more than another, in units of something else."""
    return median(x - y for x, y in zip(a, b)) / median(unit)


class Figure:
    """A number with its interval, and whether it is what was aimed at.

    target: ("<=", x) or (">=", x), of the median; ("reaches", x): the interval begins below x."""

    def __init__(self, name, statistic, columns, target=None, unit="x", sides=None):
        self.name, self.unit, self.target, self.pairs = name, unit, target, len(columns[0])
        self.value = statistic(*columns)
        self.low, self.high = interval(statistic, *columns) if self.pairs > 1 else (self.value, self.value)
        self.sides = {name: median(taken) / 1e6 for name, taken in (sides or {}).items()}

    def met(self):
        if self.target is None:
            return None
        how, limit = self.target
        return {"<=": self.value <= limit, ">=": self.value >= limit, "reaches": self.low < limit}[how]

    def as_json(self):
        return {
            "name": self.name,
            "unit": self.unit,
            "pairs": self.pairs,
            "median": self.value,
            "interval": [self.low, self.high],
            "target": self.target,
            "met": self.met(),
            "sides_ms": self.sides,
        }
