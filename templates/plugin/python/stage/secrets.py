OFFER = {"stage": "secrets", "provider": "@name@", "about": "not written yet"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config)


def secrets_get(call):
    """The values of the secrets `names`. One that does not exist is left out. No log line and no argument may show one."""
    raise not_written("`secrets.get`")  # return {"values": {name: "…" for name in call.params["names"]}}


METHODS = {"config.check": config_check, "secrets.get": secrets_get}
