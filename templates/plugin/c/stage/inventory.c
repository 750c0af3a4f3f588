#define OFFER "{\"stage\":\"inventory\",\"provider\":\"@name@\",\"about\":\"the hosts that its config lists\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    const cJSON *host;
    if (!only_keys(call, " hosts ")) return NULL;
    cJSON_ArrayForEach(host, get(call->config, "hosts"))
        if (!text(host, "name") || !text(host, "address"))
            return fail(call, "invalid", "a host in `hosts` lacks its `name` or its `address`", NULL);
    return NULL;
}

/* Every host there is, each name once. A list that may not be whole is a failure. */
static cJSON *inventory_list(struct call *call) {
    const cJSON *hosts = get(call->config, "hosts");
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddItemToObject(reply, "hosts", hosts ? cJSON_Duplicate(hosts, 1) : cJSON_CreateArray());
    return reply;
}

static const struct method METHODS[] = {{"config.check", config_check}, {"inventory.list", inventory_list}};
