# Tries an idmapped mount of the directory given; the exit status tells.
import ctypes, os, signal, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
OPEN_TREE, MOUNT_SETATTR = 428, 442
AT_EMPTY_PATH, AT_RECURSIVE, OPEN_TREE_CLONE, O_CLOEXEC = 0x1000, 0x8000, 1, 0o2000000
CLONE_NEWUSER, MOUNT_ATTR_IDMAP = 0x10000000, 0x00100000

ready, child_end = os.pipe()
pid = os.fork()
if pid == 0:
    libc.unshare(CLONE_NEWUSER)
    os.write(child_end, b"x")
    signal.pause()
os.read(ready, 1)
try:
    for name in "uid_map", "gid_map":
        with open(f"/proc/{pid}/{name}", "w") as f:
            f.write("1000 70000 1\n")
    userns = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    tree = libc.syscall(OPEN_TREE, -100, sys.argv[1].encode(), OPEN_TREE_CLONE | O_CLOEXEC)
    attr = struct.pack("QQQQ", MOUNT_ATTR_IDMAP, 0, 0, userns)
    status = libc.syscall(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, attr, len(attr))
finally:
    os.kill(pid, signal.SIGKILL)
sys.exit(0 if status == 0 else 1)
