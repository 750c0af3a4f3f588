    def test_to_get_secrets_is_not_written_yet(self):
        with Session() as plugin:
            answer = plugin.call("secrets.get", {"names": ["token"]})
            self.assertIn("not written yet", answer["error"]["message"])
