"""A proxy before a registry, that does harm where it is told to.

    fault_proxy.py UPSTREAM FAULTS

UPSTREAM is HOST:PORT. FAULTS is a list in JSON: {"on": REGEX of "METHOD PATH", "times": N, "do": KIND, …}. KIND is `status` (with
`status`, `headers` and `body`), `close` (when half of what is sent has come), `truncate` (half of the answer), `change` (one byte of
the answer) or `page` (of a list of tags only `size`, and a link to the next). It prints its port, then a line for each request: method, path, status, and how many bytes were sent with it.
"""

import http.client
import http.server
import json
import re
import socket
import struct
import sys
import threading
import urllib.parse

UPSTREAM, FAULTS = sys.argv[1], json.loads(sys.argv[2])
LOCK = threading.Lock()
SKIPPED = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def fault(request):
    with LOCK:
        for one in FAULTS:
            if one["times"] > 0 and re.search(one["on"], request):
                one["times"] -= 1
                return one
    return {"do": "nothing"}


def page(answer, path, size):
    """The tags after `last` of the query, and a header that leads to those that are left."""
    place, _, query = path.partition("?")
    last = urllib.parse.parse_qs(query).get("last", [""])[0]
    whole = json.loads(answer)
    tags = sorted(tag for tag in whole["tags"] or [] if tag > last)
    link = [("Link", f'<{place}?n={size}&last={tags[size - 1]}>; rel="next"')] if len(tags) > size else []
    return json.dumps({**whole, "tags": tags[:size]}).encode(), link


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def hang_up(self):
        # With a reset, as of a machine that is gone.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def answer(self, status, headers, data, sent, length=None):
        path = self.path.split("?")
        print(self.command, path[0], *path[1:], status, sent, flush=True)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in SKIPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def handle_one(self):
        what = fault(f"{self.command} {self.path}")
        if what["do"] == "close":
            next(self.body(), b"")
            print(self.command, self.path.split("?")[0], "closed", 0, flush=True)
            return self.hang_up()
        data = b"".join(self.body())
        if what["do"] == "status":
            body = b"" if self.command == "HEAD" else what.get("body", "").encode()
            headers = [("Content-Type", "application/json"), *what.get("headers", {}).items()]
            return self.answer(what["status"], headers, body, len(data))
        upstream = http.client.HTTPConnection(UPSTREAM)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in SKIPPED}
        upstream.request(self.command, self.path, data, headers)
        response = upstream.getresponse()
        answer, length, more = response.read(), None, []
        if what["do"] == "page":
            answer, more = page(answer, self.path, what["size"])
        if self.command == "HEAD":
            length = response.headers.get("Content-Length", 0)
        if what["do"] == "truncate":
            answer, length = answer[: len(answer) // 2], len(answer)
        if what["do"] == "change":
            # JSON stays JSON.
            is_json = answer.startswith(b"{\n")
            answer = answer.replace(b"\n", b" ", 1) if is_json else answer[:-1] + bytes([answer[-1] ^ 1])
        self.answer(response.status, [*response.headers.items(), *more], answer, len(data), length)
        if what["do"] == "truncate":
            self.hang_up()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
