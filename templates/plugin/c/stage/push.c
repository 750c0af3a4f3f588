/* Scope `host`: each image is pushed to each host. With `shared` it is pushed once, and each host pulls it. */
#define OFFER "{\"stage\":\"push\",\"provider\":\"@name@\",\"about\":\"not written yet\",\"scope\":\"host\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    only_keys(call, "");
    return NULL;
}

/* Brings the image `reference` of this machine to `host`. What is there already is not sent again. */
static cJSON *push_run(struct call *call) {
    return NOT_WRITTEN("`push.run`"); /* return cJSON_Parse("{\"reference\":\"…\",\"sent\":0}"); */
}

static const struct method METHODS[] = {{"config.check", config_check}, {"push.run", push_run}};
