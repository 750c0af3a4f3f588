import hashlib

OFFER = {"stage": "build", "provider": "@name@", "about": "not written yet"}


def config_check(call):
    """Whether the config is one to work with. Touches nothing."""
    only_keys(call.config)


def build_observe(call):
    """A reference for each image, with a tag made from all that goes into its build, and whether it is built.

    Here all that is asked goes into every tag. That is never wrong, and builds more often than it has to.
    """
    recipes = call.params["recipes"]
    digest = hashlib.sha256()
    for recipe in recipes:
        source = recipe["source"]
        kept = {key: value for key, value in recipe.items() if key not in ("source", "secrets")}
        digest.update(json.dumps([kept, source.get("revision")], sort_keys=True).encode())
        if not source.get("pinned"):  # Its revision does not say what its files are.
            add_files(digest, source["path"])
    tag = digest.hexdigest()[:12]
    images = [{"name": r["name"], "reference": f"{r['repository']}:{tag}", "built": False} for r in recipes]
    return {"images": images}


def add_files(digest, top):
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - {".git", ".cloudpad"})
        for path in (os.path.join(folder, name) for name in sorted(files)):
            with open(path, "rb") as file:
                digest.update(os.path.relpath(path, top).encode() + hashlib.sha256(file.read()).digest())


def build_run(call):
    """Builds the image of `recipe`, and tags it `reference`. When that tag is there, nothing is done."""
    raise not_written("`build.run`")  # return {"id": "sha256:…", "cached": False}


METHODS = {"config.check": config_check, "build.observe": build_observe, "build.run": build_run}
