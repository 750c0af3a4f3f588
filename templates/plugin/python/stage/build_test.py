    def test_a_tag_is_made_from_what_goes_into_the_build(self):
        with Session() as plugin, tempfile.TemporaryDirectory() as path:
            def reference(**more):
                source = {"name": "app", "path": path, "pinned": False}
                recipe = {"name": "web", "repository": "shop.web", "source": source, "context": ".", **more}
                image, = plugin.call("build.observe", {"recipes": [recipe], "cache": path})["ok"]["images"]
                self.assertEqual((image["name"], image["built"]), ("web", False))
                return image["reference"]
            first = reference(dockerfile="Dockerfile")
            self.assertRegex(first, "^shop.web:[0-9a-f]{12}$")
            self.assertEqual(reference(dockerfile="Dockerfile"), first)
            self.assertNotEqual(reference(dockerfile="other"), first)
            with open(path + "/file", "w") as file:
                file.write("more")
            self.assertNotEqual(reference(dockerfile="Dockerfile"), first)

    def test_to_build_is_not_written_yet(self):
        with Session() as plugin:
            self.assertIn("not written yet", plugin.call("build.run")["error"]["message"])
