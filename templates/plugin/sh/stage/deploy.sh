OFFER='{"stage": "deploy", "provider": "@name@", "about": "not written yet", "methods": ["config.check",
        "deploy.observe", "deploy.pull", "deploy.start", "deploy.ready", "deploy.stop", "deploy.remove",
        "deploy.run", "deploy.exec", "deploy.route", "deploy.record", "deploy.logs"]}'

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys
        ;;
    deploy.observe) # All containers of `project` on `host`, running or not. Here: a host with nothing on it.
        echo '{"containers": [], "images": [], "ports": []}' >&3
        ;;
    deploy.pull) # Lets `host` pull `image`, and tags it `tag` there.
        not_written '`deploy.pull`' # echo '{"id": "sha256:…"}' >&3
        ;;
    deploy.start) # Makes and starts the container that `spec` describes. One of that name and spec is started as it is.
        not_written '`deploy.start`' # echo '{"id": "…", "created": true}' >&3
        ;;
    deploy.ready) # Waits until `container` serves; fails when it does not.
        not_written '`deploy.ready`' # echo '{"tries": 1}' >&3
        ;;
    deploy.stop) # Stops `container`, and keeps it.
        not_written '`deploy.stop`'
        ;;
    deploy.remove) # Removes stopped `containers`, and `images` that nothing uses. What runs is left, and is `stale`.
        not_written '`deploy.remove`'
        ;;
    deploy.run) # Runs the one-off container that `spec` describes to its end; each line that it prints is an event.
        not_written '`deploy.run`' # echo '{"exit_code": 0}' >&3
        ;;
    deploy.exec) # Runs `command` in `container`, its streams over the unix socket `stream`; without one, each line is an event.
        not_written '`deploy.exec`' # echo '{"exit_code": 0}' >&3
        ;;
    deploy.route) # Has the host's proxy lead requests to the containers in `add`, and no more to those in `remove`.
        not_written '`deploy.route`'
        ;;
    deploy.record) # Remembers `release` on `host` for `deploy.observe` to tell, and forgets those of `forget`.
        not_written '`deploy.record`'
        ;;
    deploy.logs) # Tells what containers have printed, each line as an event whose source is the instance, such as `web.1`.
        not_written '`deploy.logs`' # echo '{"containers": 0}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
