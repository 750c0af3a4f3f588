#define OFFER "{\"stage\":\"secrets\",\"provider\":\"@name@\",\"about\":\"not written yet\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    only_keys(call, "");
    return NULL;
}

/* The values of the secrets `names`. One that does not exist is left out. No log line and no argument may show one. */
static cJSON *secrets_get(struct call *call) {
    return NOT_WRITTEN("`secrets.get`"); /* return cJSON_Parse("{\"values\":{\"name\":\"…\"}}"); */
}

static const struct method METHODS[] = {{"config.check", config_check}, {"secrets.get", secrets_get}};
