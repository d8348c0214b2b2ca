"""What work inside costs: a terminal, a build, npm."""
import os

from measure import Figure, Side, interleave, median, ratio_of_pairs
from place import BIN, HERE, PROJECT, WORKER, Held, as_user, bash, run

TERMINAL_BYTES = 200_000_000
OUTSIDE = "/home/ben/outside"


def throughput(a, b):
    """Of the same bytes: the inverse of their times."""
    return median(y / x for x, y in zip(a, b))


def terminal():
    """200 MB written to a terminal by a program inside, by su's door, beside script(1)"""
    text = "/home/ben/bench/text"
    bash(f"yes 'The quick brown fox jumps over the lazy dog, and so on to the end.' | head -c {TERMINAL_BYTES} >{text}")
    run("chmod", "644", text)
    reader = ["python3", "-B", HERE + "/onpty.py"]
    env = dict(os.environ, BENCH_BYTES=str(TERMINAL_BYTES))
    with Held():
        sides = [
            Side("worker", [*reader, "su", "-", WORKER, "-c", f"cat {text}"], env=env),
            Side("script", [*reader, "script", "-qec", f"cat {text}", "/dev/null"], env=env),
        ]
        taken = interleave(sides, 30)
    columns = [taken["worker"], taken["script"]]
    return [Figure("terminal, throughput / script's", throughput, columns, (">=", 0.9), sides=taken)]


BUILD_TREE = """
mkdir -p src
for i in $(seq 12); do
    { for h in stdio stdlib string unistd pthread regex sys/socket sys/stat; do echo "#include <$h.h>"; done
    for f in $(seq 40); do
        echo "int f_${i}_$f(const char *s) { char b[256]; size_t n = strlen(s); int sum = 0;"
        echo "for (size_t k = 0; k < n; k++) sum = sum * 31 + s[k] % ($f + 1);"
        echo "snprintf(b, sizeof(b), \\"%s %d\\", s, sum); return atoi(b) + sum; }"
    done; } >src/file$i.c
done
echo 'int main(void) { return 0; }' >src/main.c
printf '%s\\n' 'objects = $(patsubst %.c,%.o,$(wildcard src/*.c))' 'all: $(objects)' \\
    '\\t$(CC) -o program $(objects)' 'clean:' '\\trm -f program $(objects)' | sed 's/^\\\\t/\\t/' >Makefile
"""

NPM_TREE = """
mkdir -p packages
for i in $(seq 20); do
    rm -rf package; mkdir -p package/lib
    echo "{\\"name\\": \\"package$i\\", \\"version\\": \\"1.0.0\\", \\"main\\": \\"lib/1.js\\"}" >package/package.json
    for f in $(seq 30); do seq -f "exports.x%.0f = $f;" 200 >package/lib/$f.js; done
    tar -czf packages/package$i.tgz package
done
rm -rf package
{ echo '{"name": "bench", "version": "1.0.0", "dependencies": {'
for i in $(seq 20); do
    [ $i = 1 ] || echo ,
    echo "\\"package$i\\": \\"file:packages/package$i.tgz\\""
done
echo '}}'; } >package.json
npm install --package-lock-only --offline --silent --no-audit --no-fund
"""


def inside_outside(what, tree, command):
    """The same files, the same command: by the worker inside, by the person outside."""
    for top in (PROJECT, OUTSIDE):
        place = f"{top}/{what}"
        bash('as_person ben sh -ec "mkdir -p $1; cd $1; $2"', place, tree)
    sides = [
        Side("inside", ["su", "-", WORKER, "-c", f"cd {PROJECT}/{what} && exec {BIN}timer sh -c '{command}'"]),
        Side("outside", as_user("ben", "sh", "-c", f'cd {OUTSIDE}/{what} && exec {BIN}timer sh -c "$0"', command)),
    ]
    taken = interleave(sides, 30)
    return Figure(f"{what}, inside / outside", ratio_of_pairs, [taken["inside"], taken["outside"]], ("<=", 1.03), sides=taken)


def builds():
    """Building a C project of 12 files, and npm ci of 20 packages, inside and outside"""
    make = "make -s clean && make -s -j2"
    npm = "npm ci --offline --silent --no-audit --no-fund"
    return [inside_outside("make", BUILD_TREE, make), inside_outside("npm", NPM_TREE, npm)]


PARTS = [terminal, builds]
