#define OFFER "{\"stage\":\"deploy\",\"provider\":\"@name@\",\"about\":\"not written yet\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    only_keys(call, "");
    return NULL;
}

/* All containers of `project` on `host`, running or not. Here: a host with nothing on it. */
static cJSON *deploy_observe(struct call *call) {
    (void)call;
    return cJSON_Parse("{\"containers\":[],\"images\":[],\"ports\":[]}");
}

/* Lets `host` pull `image`, and tags it `tag` there. */
static cJSON *deploy_pull(struct call *call) {
    return NOT_WRITTEN("`deploy.pull`"); /* return cJSON_Parse("{\"id\":\"sha256:…\"}"); */
}

/* Makes and starts the container that `spec` describes. One of that name and spec is started as it is. */
static cJSON *deploy_start(struct call *call) {
    return NOT_WRITTEN("`deploy.start`"); /* return cJSON_Parse("{\"id\":\"…\",\"created\":true}"); */
}

/* Waits until `container` serves; fails with its last log lines as causes when it does not. */
static cJSON *deploy_ready(struct call *call) {
    return NOT_WRITTEN("`deploy.ready`"); /* return cJSON_Parse("{\"tries\":1}"); */
}

/* Stops `container`, and keeps it. */
static cJSON *deploy_stop(struct call *call) { return NOT_WRITTEN("`deploy.stop`"); }

/* Removes stopped `containers`, and `images` that nothing uses. What runs is left, and is `stale`. */
static cJSON *deploy_remove(struct call *call) { return NOT_WRITTEN("`deploy.remove`"); }

/* Runs the one-off container that `spec` describes to its end; each line that it prints is an event. */
static cJSON *deploy_run(struct call *call) {
    return NOT_WRITTEN("`deploy.run`"); /* return cJSON_Parse("{\"exit_code\":0}"); */
}

/* Runs `command` in `container`, its streams over the unix socket `stream`; without one, each line is an event. */
static cJSON *deploy_exec(struct call *call) {
    return NOT_WRITTEN("`deploy.exec`"); /* return cJSON_Parse("{\"exit_code\":0}"); */
}

/* Has the host's proxy lead requests to the containers in `add`, and no more to those in `remove`. */
static cJSON *deploy_route(struct call *call) { return NOT_WRITTEN("`deploy.route`"); }

/* Remembers `release` on `host` for `deploy.observe` to tell, and forgets those of `forget`. */
static cJSON *deploy_record(struct call *call) { return NOT_WRITTEN("`deploy.record`"); }

/* Tells what containers have printed, each line as an event whose source is the instance, such as `web.1`. */
static cJSON *deploy_logs(struct call *call) {
    return NOT_WRITTEN("`deploy.logs`"); /* return cJSON_Parse("{\"containers\":0}"); */
}

static const struct method METHODS[] = {
    {"config.check", config_check}, {"deploy.observe", deploy_observe}, {"deploy.pull", deploy_pull},
    {"deploy.start", deploy_start}, {"deploy.ready", deploy_ready},     {"deploy.stop", deploy_stop},
    {"deploy.remove", deploy_remove},   {"deploy.run", deploy_run},
    {"deploy.exec", deploy_exec},       {"deploy.route", deploy_route},     {"deploy.record", deploy_record},
    {"deploy.logs", deploy_logs}};
