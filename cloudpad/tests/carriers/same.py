#!/usr/bin/env python3
"""The provider that every carrier of the suite has, in Python. Its config says what it does."""

import json
import sys

KEYS = ["count", "fail", "panic", "wait"]
PROVIDES = [
    {"stage": "inventory", "provider": "same", "methods": ["config.check", "inventory.list"],
     "about": "does what its config says"},
    {"stage": "push", "provider": "same", "methods": ["config.check", "push.run"],
     "about": "pushes nothing", "scope": "shared"},
]


def send(**message):
    print(json.dumps(message), flush=True)


def messages():
    return map(json.loads, iter(sys.stdin.readline, ""))


def failure(kind, message, **more):
    return "error", {"kind": kind, "message": message, "retryable": False, "outcome": "none", **more}


def check(config):
    for key in config:
        if key not in KEYS:
            return failure("invalid", f"`{key}` is no key of this provider's `config`",
                           hint="its keys: " + ", ".join(KEYS))
    return "ok", {}


def wait(call):
    send(t="event", id=call["id"], kind="log", level="info", message="waiting")
    for message in messages():
        if message["t"] == "cancel" and message["id"] == call["id"]:
            return failure("cancelled", "stopped because the caller asked for it")
    sys.exit(0)


def count(call, count):
    def event(kind, **fields):
        send(t="event", id=call["id"], kind=kind, **fields)

    event("log", level="debug", message=f"counting to {count}")
    event("progress", label="counting \u2713", done=0, total=count, unit="steps")
    event("progress", label="more", done=count)
    hosts = []
    for number in range(1, count + 1):
        event("output", source="count", line=str(number))
        hosts.append({"name": f"h{number}", "address": f"deploy@192.0.2.{number}:2222"})
    for first in hosts[:1]:
        first.update(roles=["web", "db"], labels={"zone": "\"\u00fc\\\U0001f433\t"})
    event("output", line="")
    event("log", level="warn", message="that was all")
    return "ok", {"hosts": hosts}


def listed(call, config):
    if "fail" in config:
        return failure("unreachable", "could not reach `rack`: no route", causes=["the line is cut", "a digger"],
                       hint="look at the line", retryable=True, outcome="partial", host="h7")
    if "wait" in config:
        return wait(call)
    number = config.get("count", 0)
    return count(call, int(open(number).read()) if isinstance(number, str) else number)


def pushed(call, params):
    message = f"key `{call.get('key', '')}`, {len(params.get('similar', []))} similar"
    send(t="event", id=call["id"], kind="log", level="info", message=message)
    return "ok", {"reference": "registry.example/" + params["reference"], "sent": 1 << 40}


def answer(call):
    method, params, config = call["method"], call.get("params") or {}, call.get("config") or {}
    if call["provider"] == "same" and method == "config.check":
        return check(config)
    if call["provider"] == "same" and method == "inventory.list":
        return listed(call, config)
    if call["provider"] == "same" and method == "push.run":
        return pushed(call, params)
    return failure("unsupported", f"`{method}` of `{call['provider']}` is not offered")


if sys.argv[1:2] != ["--cloudpad-plugin"]:
    sys.exit("this is a plugin")
send(t="hello", name="same-in-python", version="2", protocols=[1], provides=PROVIDES, parallel=False)
for message in messages():
    if message["t"] == "hello" and message["protocol"] != 1:
        sys.exit("the host has chosen a protocol that was not offered")
    if message["t"] == "call":
        field, value = answer(message)
        send(t="result" if field == "ok" else "error", id=message["id"], **{field: value})
