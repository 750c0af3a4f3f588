#!/usr/bin/env python3
"""Plays Cloudpad to the plugin: `python3 test_plugin.py`."""

import json
import os
import subprocess
import tempfile
import unittest

PLUGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cloudpad-@name@-@stage@")


class Session:
    """The plugin, started and greeted; it has to end well when its input ends."""

    def __enter__(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([PLUGIN, "--cloudpad-plugin"], stdin=pipe, stdout=pipe, encoding="utf-8")
        self.calls, self.hello = 0, self.read()
        self.send(t="hello", protocol=1, version="0.1.0", max_line=16 << 20)
        return self

    def __exit__(self, *failed):
        self.process.stdin.close()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        assert failed != (None, None, None) or code == 0, f"the plugin ended with {code}"

    def send(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def read(self):
        line = self.process.stdout.readline()
        assert line, "the plugin has ended"
        return json.loads(line)

    def call(self, method, params=None, config=None):
        """Sends a call, and returns the message that ends it."""
        self.calls += 1
        self.send(t="call", id=self.calls, provider="@name@", method=method, params=params or {}, config=config or {})
        while True:
            message = self.read()
            if message["t"] != "event":
                assert message["id"] == self.calls, message
                return message


class Test(unittest.TestCase):
    def test_it_says_who_it_is(self):
        with Session() as plugin:
            self.assertEqual(plugin.hello["protocols"], [1])
            self.assertEqual(plugin.hello["provides"][0]["stage"], "@stage@")
            self.assertEqual(plugin.hello["provides"][0]["provider"], "@name@")

    def test_what_it_does_not_know_it_refuses(self):
        with Session() as plugin:
            self.assertEqual(plugin.call("config.check")["ok"], {})
            self.assertEqual(plugin.call("config.check", config={"colour": 1})["error"]["kind"], "invalid")
            self.assertEqual(plugin.call("@stage@.sing")["error"]["kind"], "unsupported")

    def test_messages_of_a_newer_protocol_are_ignored(self):
        with Session() as plugin:
            plugin.send(t="applause", loud=True)
            plugin.send(t="cancel", id=99, reason="there is no such call")
            self.assertEqual(plugin.call("config.check")["ok"], {})

@tests@


if __name__ == "__main__":
    unittest.main()
