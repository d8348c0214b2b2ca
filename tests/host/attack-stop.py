"""Run by a person: CLIENT..., again and again, until a child of clsecured's that has become her is stopped; its pid.

SIGSTOP asks for no more than the same uid.  The child answers within a millisecond: so the numbers behind the client's
are tried without looking, and only what is still there a second later was in time.
"""
import os, signal, subprocess, sys, time

NEAR = 12  # clsecured forks for the connection, that process for the person


def stop_one(client):
    for pid in range(client.pid + 1, client.pid + 1 + NEAR):
        try:
            os.kill(pid, signal.SIGSTOP)
            return pid
        except (ProcessLookupError, PermissionError):
            pass
    return None


until = time.monotonic() + 60
while time.monotonic() < until:
    client = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    pid = None
    while client.poll() is None and not pid:
        pid = stop_one(client)
    if pid:
        time.sleep(1)
        if os.path.exists(f"/proc/{pid}"):
            print(pid, flush=True)
            os._exit(0)
    client.wait()
sys.exit("none was caught")
