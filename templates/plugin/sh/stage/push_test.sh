ask push.run '{"reference": "app:1", "host": {"name": "h1", "address": "local"}}'
expect '.error.message | contains("not written yet")'
