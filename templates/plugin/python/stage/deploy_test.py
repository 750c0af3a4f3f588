    def test_a_host_is_empty_and_nothing_else_is_written_yet(self):
        with Session() as plugin:
            asked = {"host": {"name": "h1", "address": "local"}, "project": {"name": "shop"}}
            self.assertEqual(plugin.call("deploy.observe", asked)["ok"]["containers"], [])
            for method in ("pull", "start", "ready", "stop", "remove", "run", "exec", "route", "record", "logs"):
                answer = plugin.call("deploy." + method, asked)
                self.assertIn("not written yet", answer["error"]["message"])
