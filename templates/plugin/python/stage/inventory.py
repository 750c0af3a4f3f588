OFFER = {"stage": "inventory", "provider": "@name@", "about": "the hosts that its config lists"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config, "hosts")
    for host in call.config.get("hosts", []):
        if not {"name", "address"} <= set(host):
            raise Failure("a host in `hosts` lacks its `name` or its `address`", "invalid")


def inventory_list(call):
    """Every host there is, each name once. A list that may not be whole is a failure."""
    return {"hosts": call.config.get("hosts", [])}


METHODS = {"config.check": config_check, "inventory.list": inventory_list}
