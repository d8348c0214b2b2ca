#!/usr/bin/env python3
"""A stand-in for the Messages API, for one conversation of Claude Code with one Bash tool call.

usage: messages-api.py PORT COMMAND [ADDRESS CERTIFICATE]

Listens on 127.0.0.1:PORT, or by https on ADDRESS:PORT. A request that offers the tool Bash and carries no tool result is answered by a call of
Bash with COMMAND; one that carries a result is answered by text that quotes it after "TOOL SAID". The form of the
events is that of the API's documentation of streaming messages.
"""
import json
import socketserver
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, COMMAND = int(sys.argv[1]), sys.argv[2]


def tool_results(message):
    content = message.get("content")
    if not isinstance(content, list):
        return []
    return [c for c in content if c.get("type") == "tool_result"]


def answer_blocks(query):
    results = tool_results(query["messages"][-1])
    if results:
        return [{"type": "text", "text": "TOOL SAID " + json.dumps(results)}], "end_turn"
    if any(tool.get("name") == "Bash" for tool in query.get("tools", [])):
        call = {"command": COMMAND, "description": "look around"}
        return [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": call}], "tool_use"
    return [{"type": "text", "text": "hello"}], "end_turn"


def events(message, blocks, stop):
    yield "message_start", {"message": dict(message, content=[], stop_reason=None)}
    for i, block in enumerate(blocks):
        if block["type"] == "text":
            start = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            start = dict(block, input={})
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"index": i, "content_block": start}
        yield "content_block_delta", {"index": i, "delta": delta}
        yield "content_block_stop", {"index": i}
    yield "message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 9}}
    yield "message_stop", {}


class Api(BaseHTTPRequestHandler):
    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply("application/json", b"{}")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self.reply("application/json", b'{"input_tokens":10}')
        query = json.loads(body)
        blocks, stop = answer_blocks(query)
        usage = {"input_tokens": 9, "output_tokens": 9, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": query["model"], "stop_sequence": None,
                   "usage": usage}
        if not query.get("stream"):
            return self.reply("application/json", json.dumps(dict(message, content=blocks, stop_reason=stop)).encode())
        out = "".join(f"event: {name}\ndata: {json.dumps(dict(data, type=name))}\n\n"
                      for name, data in events(message, blocks, stop))
        return self.reply("text/event-stream", out.encode())

    def log_message(self, *args):
        pass


ThreadingHTTPServer.server_bind = socketserver.TCPServer.server_bind  # without a look-up of its own name
server = ThreadingHTTPServer((sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", PORT), Api)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
