#!/usr/bin/python3
"""Another machine: a DNS server that knows far.test, and an HTTP server that says who asks.

Usage: far.py ADDRESS [FAR]: listens on ADDRESS, FAR is what the names have (default: ADDRESS).
"""
import http.server
import socket
import socketserver
import struct
import sys
import threading

ADDRESS = sys.argv[1]
FAR = sys.argv[-1]


def answer(query):
    """far.test is this machine; a long.test asks for TCP; nothing else is known."""
    end = query.index(b"\0", 12)
    name, kind = query[12:end], struct.unpack(">H", query[end + 1:end + 3])[0]
    known = name in (b"\3far\4test", b"\4long\4test")
    records = known and kind == 1
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if known else 3), 1, records, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(FAR)
    return head + query[12:end + 5] + (record if records else b""), name


class Datagrams(socketserver.BaseRequestHandler):
    def handle(self):
        text, name = answer(self.request[0])
        if name == b"\4long\4test":  # truncated: ask again by TCP
            text = text[:2] + b"\x83\x80" + text[4:]
        self.request[1].sendto(text, self.client_address)


class Streams(socketserver.BaseRequestHandler):
    def handle(self):
        size = struct.unpack(">H", self.request.recv(2))[0]
        text, _ = answer(self.request.recv(size))
        self.request.sendall(struct.pack(">H", len(text)) + text)


class Web(http.server.ThreadingHTTPServer):
    def server_bind(self):  # without a look-up of its own name
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"far sees {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


socketserver.ThreadingTCPServer.allow_reuse_address = True
servers = [socketserver.ThreadingUDPServer((ADDRESS, 53), Datagrams),
           socketserver.ThreadingTCPServer((ADDRESS, 53), Streams),
           Web((ADDRESS, 80), Pages)]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
