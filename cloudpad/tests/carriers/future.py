#!/usr/bin/env python3
"""A plugin from the future."""

import json
import sys


def send(**message):
    print(json.dumps({"signed": {"by": ["me", None]}, **message}), flush=True)


send(t="hello", name="next", version="3.0", protocols=PROTOCOLS, dialect="terse", parallel=None, provides=[
    {"stage": "dns", "provider": "next", "zones": 3},
    {"stage": "push", "provider": "next", "methods": ["push.run"], "scope": "galaxy"},
    {"stage": "inventory", "provider": "next", "methods": ["inventory.list", "inventory.watch"], "about": None, "cost": 1e300},
])
protocol = json.loads(sys.stdin.readline() or sys.exit())["protocol"]
for line in sys.stdin:
    id = json.loads(line)["id"]
    send(t="applause", id=id)
    send(t="event", id=id, kind="smell", strength=7)
    send(t="event", id=id, kind="log", level="shout", message=f"protocol {protocol}", colour="red")
    send(t="event", id=id, kind="progress", label="a unit of tomorrow", done=1, unit="qubits", eta=3)
    send(t="result", id=id, ok={"hosts": [{"name": "h1", "address": "local", "roles": None, "labels": None, "gpu": True}],
                                "next": "page"})
