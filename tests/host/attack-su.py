# For attack-person.bats: su, started by a person in a hostile way.  attack-su.py CASE WORKER COMMAND
import ctypes, os, resource, signal, sys

case, worker, command = sys.argv[1:4]
libc = ctypes.CDLL(None)
environment = {"PATH": "/usr/bin:/bin", "TERM": "dumb"}
login = ["-"]


def limit(what, value):
    resource.setrlimit(what, (value, value))


if case.startswith("closed"):
    for fd in case[6:]:
        os.close(int(fd))
elif case == "variables":
    login = []
    environment.update({"V%d" % i: "x" * 40 for i in range(2000)})
    evil = os.environ["EVIL"]
    for name in ("BASH_ENV", "ENV", "LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "PYTHONSTARTUP"):
        environment[name] = evil
    environment.update({"GLIBC_TUNABLES": "glibc.malloc.check=3", "SHELLOPTS": "xtrace", "IFS": "/",
        "PS4": "$(touch %s.ran)" % evil, "BASH_FUNC_id%%": "() { touch %s.ran; }" % evil,
        "CLSECURE_START": "project", "CLSECURE_SESSION": "prey:1", "XDG_RUNTIME_DIR": "/run/user/0"})
elif case == "signals":
    for sig in signal.valid_signals():
        try:
            signal.signal(sig, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
elif case == "scheduling":
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("1000")
    libc.prctl(29, 1000000000, 0, 0, 0)  # PR_SET_TIMERSLACK
elif case == "surroundings":
    os.umask(0o777)
    os.mkdir("/tmp/gone-%d" % os.getpid())
    os.chdir("/tmp/gone-%d" % os.getpid())
    os.rmdir("/tmp/gone-%d" % os.getpid())
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    libc.personality(0x0020000)  # UNAME26
elif case == "files-small":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit(resource.RLIMIT_FSIZE, 0)
elif case == "files-few":
    limit(resource.RLIMIT_NOFILE, 12)
elif case == "memory":
    limit(resource.RLIMIT_AS, 96 << 20)
elif case == "locked":
    limit(resource.RLIMIT_MEMLOCK, 0)
    limit(resource.RLIMIT_STACK, 1 << 20)
    limit(resource.RLIMIT_CORE, 0)
elif case == "processes":
    limit(resource.RLIMIT_NPROC, 1)
elif case == "time":
    limit(resource.RLIMIT_CPU, 1)
    signal.setitimer(signal.ITIMER_REAL, 30)
elif case == "descriptors":
    for _ in range(900):
        os.set_inheritable(os.open("/", os.O_RDONLY), True)
elif case != "plain":
    sys.exit("no such case")
os.execve("/usr/bin/su", ["su"] + login + [worker, "-c", command], environment)
