    def test_the_hosts_of_the_config_are_listed(self):
        host = {"name": "h1", "address": "deploy@192.0.2.11", "roles": ["web"]}
        with Session() as plugin:
            answer = plugin.call("inventory.list", config={"hosts": [host]})
            self.assertEqual(answer["ok"], {"hosts": [host]})
            answer = plugin.call("config.check", config={"hosts": [{"name": "h1"}]})
            self.assertEqual(answer["error"]["kind"], "invalid")
