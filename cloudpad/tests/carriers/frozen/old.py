#!/usr/bin/env python3
"""A plugin of 2026, in Python. Its config says what it does."""

import json
import sys

KEYS = ["count", "fail", "panic", "wait"]
PROVIDES = [
    {"stage": "inventory", "provider": "old", "methods": ["config.check", "inventory.list"],
     "about": "does what its config says"},
    {"stage": "push", "provider": "old", "methods": ["config.check", "push.run"],
     "about": "pushes nothing", "scope": "shared"},
    {"stage": "deploy", "provider": "old", "methods": [
        "deploy.observe", "deploy.pull", "deploy.start", "deploy.ready", "deploy.stop", "deploy.remove"]},
]
SEEN = {"containers": [{"id": "c1", "name": "shop-web-1-0f3a", "instance": {"service": "web", "number": 1},
                        "release": "20260131T235959Z", "spec_id": "0f3a", "state": "running", "created": 1769903999,
                        "spec": {"image": "shop.web:1", "stop_timeout": 10}},
                       {"id": "c0", "name": "shop-web-1-77a0", "instance": {"service": "web", "number": 1},
                        "state": "stopped"}],
        "images": ["shop.web:1"], "ports": [{"published": 80, "container": "proxy"}],
        "engine": {"version": "20.10.24", "api": "1.41", "platform": "linux/amd64"}}


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
    return wait(call) if "wait" in config else count(call, config.get("count", 0))


def pushed(call, params):
    message = f"key `{call.get('key', '')}`, {len(params.get('similar', []))} similar"
    send(t="event", id=call["id"], kind="log", level="info", message=message)
    return "ok", {"reference": "registry.example/" + params["reference"], "sent": 1 << 40}


def deploy(call, method, params):
    if method == "deploy.start":
        line = f"{params['container']} of {params['spec']['image']} on {params['host']['name']}"
        send(t="event", id=call["id"], kind="output", line=line)
        return "ok", {"id": "c2", "created": True}
    if method == "deploy.remove":
        return "error", {"kind": "stale", "message": f"`{params['containers'][0]['name']}` runs"}
    replies = {"deploy.observe": SEEN, "deploy.pull": {"id": "sha256:77"}, "deploy.ready": {"tries": 2}, "deploy.stop": None}
    return ("ok", replies[method]) if method in replies else failure("unsupported", f"`{method}` is not offered")


def answer(call):
    method, params, config = call["method"], call.get("params") or {}, call.get("config") or {}
    if call["provider"] == "old" and method == "config.check":
        return check(config)
    if call["provider"] == "old" and method == "inventory.list":
        return listed(call, config)
    if call["provider"] == "old" and method == "push.run":
        return pushed(call, params)
    if call["provider"] == "old" and method.startswith("deploy."):
        return deploy(call, method, params)
    return failure("unsupported", f"`{method}` of `{call['provider']}` is not offered")


if sys.argv[1:2] != ["--cloudpad-plugin"]:
    sys.exit("this is a plugin")
send(t="hello", name="old-in-python", version="2", protocols=[1], provides=PROVIDES, parallel=False)
for message in messages():
    if message["t"] == "hello" and message["protocol"] != 1:
        sys.exit("the host has chosen a protocol that was not offered")
    if message["t"] == "call":
        field, value = answer(message)
        send(t="result" if field == "ok" else "error", id=message["id"], **{field: value})
