"""A stand-in for the server that an IDE leaves running: `ide-server.py PATH|PORT`.

It listens on a unix socket at PATH or on that port of loopback (0: any), says where
on its output, and answers each line, a command for the shell, with who it is and
what the command wrote on a terminal of its own, as an IDE's terminal does it.
"""
import os
import pty
import socket
import sys


def listen(where):
    if where.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(where)
    else:
        listener = socket.create_server(("127.0.0.1", int(where)))
        where = listener.getsockname()[1]
    listener.listen()
    print("listening on", where, flush=True)
    return listener


def terminal(command):
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(os.environ["SHELL"], [os.environ["SHELL"], "-c", command])
    output = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # EIO: the last one has closed it
            piece = b""
        if not piece:
            break
        output += piece
    os.close(master)
    os.waitpid(pid, 0)
    return output.replace(b"\r\n", b"\n")


def main():
    listener = listen(sys.argv[1])
    me = f"{os.getpid()}.{os.urandom(4).hex()}"
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            command = lines.readline().decode().strip()
            if command:
                connection.sendall(f"server {me}\n".encode() + terminal(command))


main()
