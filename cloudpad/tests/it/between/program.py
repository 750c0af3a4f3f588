#!/usr/bin/env python3
"""A plugin's program with somebody in between who hears all that is said, and kills the plugin where a test says so.

The process that Cloudpad has started becomes the plugin itself; its child stands between the two.
"""

import json
import os
import signal
import subprocess
import sys
import threading

FOLDER, PLUGIN = "@FOLDER", "@PLUGIN"


def log(*words):
    with open(FOLDER + "/log", "a") as file:
        file.write(" ".join(str(word) for word in words) + "\n")


def rule():
    try:
        with open(FOLDER + "/rule") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"method": "none", "times": 0}


def killed():
    with open(FOLDER + "/log") as file:
        return sum(line.startswith("killed ") for line in file)


class Between:
    def __init__(self, plugin, down, up):
        self.plugin, self.down, self.up = plugin, down, up
        self.rule, self.calls, self.lock = rule(), {}, threading.Lock()
        self.left = self.rule["times"] - killed()

    def is_meant(self, at, method, host):
        rule = self.rule
        with self.lock:
            if (at, method) != (rule.get("at"), rule["method"]) or rule.get("host") not in (None, host):
                return False
            self.left -= 1
            return self.left >= 0

    def kill(self, at, method, host):
        """Waits for what has to be so, and kills the plugin."""
        if self.rule.get("until"):
            subprocess.run(["sh", "-c", self.rule["until"]], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        log("killed", at, method, host)
        os.kill(self.plugin, signal.SIGKILL)

    def hear_host(self):
        for line in sys.stdin.buffer:
            message, call = json.loads(line), None
            # Noted first: the answer may be there before this thread goes on.
            if message["t"] == "call":
                call = message["method"], message.get("params", {}).get("host", {}).get("name", "-")
                self.calls[message["id"]] = call
                log("call", *call)
            self.down.write(line)
            self.down.flush()
            if call and self.is_meant("call", *call):
                threading.Thread(target=self.kill, args=("call", *call), daemon=True).start()
        self.down.close()

    def hear_plugin(self):
        for line in self.up:
            message = json.loads(line)
            if message["t"] == "hello" and self.rule.get("one_at_a_time"):
                line = json.dumps({**message, "parallel": False}).encode() + b"\n"
            if message["t"] in ("result", "error"):
                call = self.calls[message["id"]]
                if self.is_meant("answer", *call):
                    return self.kill("answer", *call)
                log(message["t"], *call)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def main():
    (to_plugin, down), (up, from_plugin) = os.pipe(), os.pipe()
    plugin = os.getpid()
    log("start", plugin)
    if os.fork():
        os.dup2(to_plugin, 0)
        os.dup2(from_plugin, 1)
        os.execv(PLUGIN, [PLUGIN, *sys.argv[1:]])
    os.close(to_plugin)
    os.close(from_plugin)
    between = Between(plugin, os.fdopen(down, "wb"), os.fdopen(up, "rb"))
    threading.Thread(target=between.hear_host, daemon=True).start()
    between.hear_plugin()


main()
