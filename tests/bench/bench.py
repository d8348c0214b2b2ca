#!/usr/bin/env python3
"""Measures what clsecure costs, in a test host (`./dev bench`)."""
import argparse
import json
import os
import platform
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import costs  # noqa: E402
import logins  # noqa: E402
import measure as measurement  # noqa: E402
import many  # noqa: E402
import names  # noqa: E402
import network  # noqa: E402
import place  # noqa: E402
import steps  # noqa: E402
import work  # noqa: E402

MODULES = (logins, steps, names, costs, work, many, network)  # network leaves its mount namespace
PARTS = {part.__name__: part for module in MODULES for part in module.PARTS}


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(": ", 1)[1].strip() for line in f if line.startswith("model name")), "unknown")
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "load": [round(x, 2) for x in os.getloadavg()],
    }


def row(figure):
    met = {None: "", True: "met", False: "MISSED"}[figure.met()]
    how, limit = figure.target or ("", "")
    if how == "reaches":
        how = "reaches <"
    sides = ", ".join(f"{name} {ms:.3g}" for name, ms in figure.sides.items())
    value, low, high = (f"{x:.3f}" if figure.unit == "x" else f"{x:.0f}" for x in (figure.value, figure.low, figure.high))
    unit = "" if figure.unit == "x" else " " + figure.unit
    return (
        f"{figure.name:<36} {value + unit:>12} {low:>9}..{high:<9} {figure.pairs:>5} "
        f"{f'{how} {limit}':<14} {met:<7} {sides}"
    )


HEADER = f"{'':<36} {'median':>12} {'95% interval':^20} {'pairs':>5} {'target':<14} {'':<7} medians, ms"


def measure(name, say):
    say(f"\n{name}: {PARTS[name].__doc__}\n{HEADER}")
    figures = PARTS[name]()
    for figure in figures:
        say(row(figure))
    return [{"part": name, **figure.as_json()} for figure in figures]


def arguments():
    parser = argparse.ArgumentParser(prog="dev bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON on stdout, the table on stderr")
    parser.add_argument("--rounds", type=int, help="at most so many rounds: a rough look")
    parser.add_argument("name", nargs="*", metavar="NAME", help="of " + ", ".join(PARTS))
    args = parser.parse_args()
    for name in args.name:
        if name not in PARTS:
            parser.error(f"there is no {name}; there are: {' '.join(PARTS)}")
    return args


def main():
    args = arguments()
    measurement.rounds_at_most = args.rounds

    def say(line):
        print(line, file=sys.stderr if args.json else sys.stdout, flush=True)

    place.prepare()
    result = {"version": 1, "machine": machine(), "figures": []}
    say("{processor}, {processors} processors, Linux {kernel}, load {load}".format(**result["machine"]))
    for name in args.name or PARTS:
        result["figures"] += measure(name, say)
    if args.json:
        json.dump(result, sys.stdout, indent=1)
        print()


main()
