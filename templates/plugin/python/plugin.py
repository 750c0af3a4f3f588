#!/usr/bin/env python3
"""Provider `@name@` of Cloudpad's stage `@stage@`, as a plugin. README.md says how to run and test it.

A method gets a `Call`. It returns its reply, or raises a `Failure`; what it prints is for the log.
"""

import json
import os
import sys
import threading
import traceback

@provider@

# The rest is the wire: JSON lines, one thread for each call.


class Failure(Exception):
    """Why a call was not carried out. `more` may have `hint`, `causes`, `host`, `retryable`, `outcome`."""

    def __init__(self, message, kind="failed", **more):
        super().__init__(message)
        self.fields = {"kind": kind, "message": message, "outcome": "none", **more}


def not_written(what):
    return Failure(f"{what} of provider `@name@`: not written yet",
                   hint=f"write it in `{os.path.abspath(__file__)}`")


def only_keys(config, *keys):
    for key in config:
        if key not in keys:
            known = ", ".join(f"`{key}`" for key in keys) or "none"
            raise Failure(f"`{key}` is no key of this provider's `config`", "invalid", hint=f"its keys: {known}")


class Call:
    """`params` is what is asked, `config` the table `[stages.@stage@.config]`, `key` the same for the same work."""

    def __init__(self, message):
        self.id, self.provider, self.method = message["id"], message["provider"], message["method"]
        self.params, self.config = message.get("params") or {}, message.get("config") or {}
        self.key = message.get("key") or ""
        self.cancelled = threading.Event()

    def log(self, message, level="info"):
        send(t="event", id=self.id, kind="log", level=level, message=message)

    def output(self, line, source=""):
        send(t="event", id=self.id, kind="output", source=source, line=line)

    def check_cancelled(self, outcome="none"):
        """For use between the steps of long work; `outcome` is what it leaves behind when it stops here."""
        if self.cancelled.is_set():
            raise Failure("stopped because the caller asked for it", "cancelled", outcome=outcome)

    def run(self):
        try:
            if self.provider != OFFER["provider"] or self.method not in METHODS:
                raise Failure(f"`{self.method}` of `{self.provider}` is not offered by this plugin", "unsupported")
            answer = {"t": "result", "ok": METHODS[self.method](self) or {}}
        except Failure as failure:
            answer = {"t": "error", "error": failure.fields}
        except Exception as error:
            traceback.print_exc()
            why = {"kind": "crashed", "message": f"`{self.method}` of `@name@` broke: {error!r}", "outcome": "unknown"}
            answer = {"t": "error", "error": {**why, "causes": places(error)}}
        del CALLS[self.id]
        send(id=self.id, **answer)


def places(error):
    """Where in this file it broke, innermost first; what has called the method is left out."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [frame for frame in frames if frame.filename == Call.run.__code__.co_filename]
    return [f"{at.filename}, line {at.lineno}, in {at.name}: {at.line}" for at in reversed(own[-5:])]


CALLS, WRITING = {}, threading.Lock()


def send(**message):
    line = json.dumps(message) + "\n"
    with WRITING:
        TO_HOST.write(line)
        TO_HOST.flush()


def main():
    send(t="hello", name="cloudpad-@name@-@stage@", version="0.1.0", protocols=[1], parallel=True,
         provides=[{**OFFER, "methods": list(METHODS)}])
    for message in map(json.loads, FROM_HOST):
        if message.get("t") == "call":
            call = CALLS[message["id"]] = Call(message)
            threading.Thread(target=call.run).start()
        elif message.get("t") == "hello" and message["protocol"] != 1:
            sys.exit(f"the host has chosen protocol {message['protocol']}, which this plugin has not offered")
        elif message.get("t") == "cancel" and message["id"] in CALLS:
            CALLS[message["id"]].cancelled.set()
    for call in list(CALLS.values()):  # The host has closed the stream: nobody waits for these any more.
        call.cancelled.set()


if __name__ == "__main__":
    if sys.argv[1:2] != ["--cloudpad-plugin"]:
        print("this is a plugin of Cloudpad, which starts it with `--cloudpad-plugin`; see its README.md", file=sys.stderr)
        sys.exit(2)
    # Nothing else in here, and no child, may read or write the streams: they get other ones.
    FROM_HOST, TO_HOST = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    main()
