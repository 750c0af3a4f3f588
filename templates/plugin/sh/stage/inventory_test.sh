hosts='{"hosts": [{"name": "h1", "address": "deploy@192.0.2.11", "roles": ["web"]}]}'
ask inventory.list '{}' "$hosts"
expect ".ok == $hosts"
ask config.check '{}' '{"hosts": [{"name": "h1"}]}'
expect '.error.kind == "invalid"'
