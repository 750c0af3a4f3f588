OFFER = {"stage": "deploy", "provider": "@name@", "about": "not written yet"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config)


def deploy_observe(call):
    """All containers of `project` on `host`, running or not. Here: a host with nothing on it."""
    return {"containers": [], "images": [], "ports": []}


def deploy_pull(call):
    """Lets `host` pull `image`, and tags it `tag` there."""
    raise not_written("`deploy.pull`")  # return {"id": "sha256:…"}


def deploy_start(call):
    """Makes and starts the container that `spec` describes. One of that name and spec is started as it is."""
    raise not_written("`deploy.start`")  # return {"id": "…", "created": True}


def deploy_ready(call):
    """Waits until `container` serves; fails with its last log lines as causes when it does not."""
    raise not_written("`deploy.ready`")  # return {"tries": 1}


def deploy_stop(call):
    """Stops `container`, and keeps it."""
    raise not_written("`deploy.stop`")


def deploy_remove(call):
    """Removes stopped `containers`, and `images` that nothing uses. What runs is left, and is `stale`."""
    raise not_written("`deploy.remove`")


def deploy_run(call):
    """Runs the one-off container that `spec` describes to its end; each line that it prints is an event."""
    raise not_written("`deploy.run`")  # return {"exit_code": 0}


def deploy_exec(call):
    """Runs `command` in `container`, its streams over the unix socket `stream`; without one, each line is an event."""
    raise not_written("`deploy.exec`")  # return {"exit_code": 0}


def deploy_route(call):
    """Has the host's proxy lead requests to the containers in `add`, and no more to those in `remove`."""
    raise not_written("`deploy.route`")


def deploy_record(call):
    """Remembers `release` on `host` for `deploy.observe` to tell, and forgets those of `forget`."""
    raise not_written("`deploy.record`")


def deploy_logs(call):
    """Tells what containers have printed, each line as an event whose source is the instance, such as `web.1`."""
    raise not_written("`deploy.logs`")  # return {"containers": 0}


METHODS = {"config.check": config_check, "deploy.observe": deploy_observe, "deploy.pull": deploy_pull,
           "deploy.start": deploy_start, "deploy.ready": deploy_ready, "deploy.stop": deploy_stop,
           "deploy.remove": deploy_remove, "deploy.run": deploy_run, "deploy.exec": deploy_exec,
           "deploy.route": deploy_route, "deploy.record": deploy_record, "deploy.logs": deploy_logs}
