# Scope `host`: each image is pushed to each host. With `shared` it is pushed once, and each host pulls it.
OFFER = {"stage": "push", "provider": "@name@", "about": "not written yet", "scope": "host"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config)


def push_run(call):
    """Brings the image `reference` of this machine to `host`. What is there already is not sent again."""
    raise not_written("`push.run`")  # return {"reference": call.params["reference"], "sent": 0}


METHODS = {"config.check": config_check, "push.run": push_run}
