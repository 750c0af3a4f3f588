import subprocess

OFFER = {"stage": "source", "provider": "@name@", "about": "directories of this machine"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config)


def directory(source):
    if source["location"]["type"] != "directory":
        raise not_written(f"`{source['location']['type']}` sources")
    path = source["location"]["path"]
    if not os.path.isdir(path):
        raise Failure(f"source `{source['name']}`: there is no directory `{path}`")
    return path


def source_resolve(call):
    """What the source stands for now, at the least cost. Only its files say what a directory is: not pinned."""
    return {"name": call.params["name"], "path": directory(call.params), "pinned": False}


def source_fetch(call):
    """Brings `revision` to the path that was resolved, then runs the `prepare` commands there."""
    path = directory(call.params["source"])
    for command in call.params.get("prepare", []):
        call.check_cancelled("partial")
        ran = subprocess.run(command, cwd=path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = ran.stdout.splitlines()
        for line in lines:
            call.output(line, source=command[0])
        if ran.returncode:
            raise Failure(f"`{' '.join(command)}` failed in `{path}`: exit code {ran.returncode}",
                          causes=lines[-10:], outcome="partial")
    return {"path": path, "changed": False}


METHODS = {"config.check": config_check, "source.resolve": source_resolve, "source.fetch": source_fetch}
