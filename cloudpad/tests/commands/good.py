#!/usr/bin/env -S python3 -ES
# A plugin that does all as it should. Tests change a line of it.
import json, os, sys, threading

lock, done, started = threading.Lock(), set(), {}
METHODS = ["config.check", "inventory.list"]
PUSH = ["config.check", "push.run"]
HELLO = {"t": "hello", "name": "cloudpad-x", "version": "1.0", "protocols": [1], "parallel": True, "provides": [
    {"stage": "inventory", "provider": "x", "methods": METHODS}, {"stage": "push", "provider": "x", "methods": PUSH}]}

def say(**message):
    with lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

def fail(kind, message):
    return {"t": "error", "error": {"kind": kind, "message": message, "outcome": "none"}}

def answer(call):
    stage, config, params = call["method"].split(".")[0], call.get("config") or {}, call["params"]
    if call["provider"] != "x":
        return fail("unsupported", "no such provider")
    if call["method"] not in METHODS + PUSH:
        return fail("unsupported", "no such method")
    for key in config:
        if key != "zone":
            return fail("invalid", "unknown key " + key)
    if call["method"] == "config.check":
        return {"t": "result", "ok": {}}
    if call["method"] == "inventory.list":
        return {"t": "result", "ok": {"hosts": [{"name": "h1", "address": "local"}]}}
    return {"t": "result", "ok": {"reference": params["reference"], "sent": 0 if call.get("key") in done else 7}}

def work(call):
    reply = answer(call)
    done.add(call.get("key"))
    say(id=call["id"], **reply)

say(**HELLO)
host = json.loads(sys.stdin.readline() or sys.exit(0))
if host["protocol"] not in HELLO["protocols"]:
    sys.exit(1)
for message in map(json.loads, sys.stdin):
    if message["t"] == "call":
        threading.Thread(target=work, args=[message]).start()
