    def test_to_push_is_not_written_yet(self):
        with Session() as plugin:
            answer = plugin.call("push.run", {"reference": "app:1", "host": {"name": "h1", "address": "local"}})
            self.assertIn("not written yet", answer["error"]["message"])
            self.assertEqual(plugin.hello["provides"][0]["scope"], "host")
