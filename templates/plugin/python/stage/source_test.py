    def test_a_directory_is_used_as_it_is_and_prepared(self):
        with Session() as plugin, tempfile.TemporaryDirectory() as path:
            source = {"name": "app", "location": {"type": "directory", "path": path}, "cache": path + "/none"}
            resolved = plugin.call("source.resolve", source)["ok"]
            self.assertEqual(resolved, {"name": "app", "path": path, "pinned": False})
            fetched = plugin.call("source.fetch", {"source": source, "prepare": [["touch", "made"]]})
            self.assertEqual(fetched["ok"], {"path": path, "changed": False})
            self.assertEqual(os.listdir(path), ["made"])
            failed = plugin.call("source.fetch", {"source": source, "prepare": [["sh", "-c", "echo why; exit 3"]]})
            self.assertEqual(failed["error"]["causes"], ["why"])

    def test_other_sources_are_not_written_yet(self):
        source = {"name": "app", "location": {"type": "git", "url": "x", "reference": {"type": "default"}}, "cache": "/"}
        with Session() as plugin:
            self.assertIn("not written yet", plugin.call("source.resolve", source)["error"]["message"])
