"""A web of one address: http and https, dumb git, an endless page, and what was asked for.

Usage: internet.py ADDRESS CERTIFICATE ROOT
"""
import http.server
import socketserver
import ssl
import sys
import threading

ADDRESS, CERTIFICATE, ROOT = sys.argv[1:]


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):  # without a look-up of its own name
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address


class Pages(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args):
        super().__init__(*args, directory=ROOT)

    def do_GET(self):
        if self.path == "/":
            body = f"{self.headers['Host']} for {self.client_address[0]}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/endless":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


plain, secret = Web((ADDRESS, 80), Pages), Web((ADDRESS, 443), Pages)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
secret.socket = context.wrap_socket(secret.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=plain.serve_forever, daemon=True).start()
secret.serve_forever()
