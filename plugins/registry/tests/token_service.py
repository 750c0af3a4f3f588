"""A token service as registries want it, strict: https://distribution.github.io/distribution/spec/auth/token/.

    token_service.py ADDRESS FOLDER [--tls]

The folder has `tokens.key` and `tokens.crt`, with which tokens are signed, and `tls.key` and `tls.crt`. It prints the port that it
has got, and then a line for each token that it gives or refuses: who asked for what.
"""

import base64
import http.server
import json
import re
import ssl
import subprocess
import sys
import time
import urllib.parse
import uuid

SERVICE, ISSUER = "registry.test", "issuer.test"
USERS = {"ann": "right"}
# Who may do what in which repositories; the empty name is for those who have not said who they are.
RIGHTS = [("ann", "team/", {"pull", "push", "delete"}), ("ann", "public/", {"pull", "push"}), ("", "public/", {"pull"})]
ADDRESS, FOLDER = sys.argv[1], sys.argv[2]


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims):
    with open(f"{FOLDER}/tokens.crt") as file:
        certificate = re.search("-----BEGIN CERTIFICATE-----(.*?)-----END", file.read(), re.S)[1]
    header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(certificate.split())]}
    text = ".".join(url64(json.dumps(part).encode()) for part in (header, claims))
    sign = ["openssl", "dgst", "-sha256", "-sign", f"{FOLDER}/tokens.key"]
    return text + "." + url64(subprocess.run(sign, input=text.encode(), capture_output=True, check=True).stdout)


class Refused(Exception):
    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        try:
            if path != "/token":
                raise Refused(404, f"no such page: {path}")
            user, access = self.granted(urllib.parse.parse_qs(query, strict_parsing=True))
        except (Refused, ValueError) as error:
            print(f"refused {error}", flush=True)
            return self.answer(getattr(error, "status", 400), {"details": str(error)})
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": user, "aud": SERVICE, "exp": now + 300, "nbf": now - 10, "iat": now,
            "jti": uuid.uuid4().hex, "access": access,
        }
        what = " ".join(f"{part['name']}:{','.join(part['actions'])}" for part in access)
        print(f"given {user or 'anonymous'} {what}", flush=True)
        self.answer(200, {"token": signed(claims), "expires_in": 300})

    def granted(self, asked):
        if asked.get("service") != [SERVICE]:
            raise Refused(400, f"service {asked.get('service')} is not {SERVICE}")
        if extra := set(asked) - {"service", "scope", "account", "client_id", "offline_token"}:
            raise Refused(400, f"unknown {extra}")
        user = self.user()
        if asked.get("account", [user]) != [user]:
            raise Refused(400, f"account {asked['account']} is not {user}")
        return user, [self.access(user, scope) for scope in asked.get("scope", [])]

    def user(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if not kind:
            return ""
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        if kind != "Basic" or USERS.get(name) != password:
            raise Refused(401, f"{name} is not known")
        return name

    def access(self, user, scope):
        found = re.fullmatch(r"repository:([a-z0-9._/-]+):([a-z]+(?:,[a-z]+)*)", scope)
        if not found:
            raise Refused(400, f"scope {scope} is none")
        name, asked = found[1], found[2].split(",")
        may = {action for who, prefix, actions in RIGHTS if who == user and name.startswith(prefix) for action in actions}
        return {"type": "repository", "name": name, "actions": sorted(may.intersection(asked))}


server = http.server.ThreadingHTTPServer((ADDRESS, 0), Handler)
if "--tls" in sys.argv:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{FOLDER}/tls.crt", f"{FOLDER}/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
