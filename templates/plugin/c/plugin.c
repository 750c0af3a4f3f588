/* Provider `@name@` of Cloudpad's stage `@stage@`, as a plugin: a shared library with one symbol. README.md says how
 * it is built and tested. One call at a time; a call that runs is not cancelled, Cloudpad ends the plugin instead. */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloudpad_plugin.h"

#define get cJSON_GetObjectItemCaseSensitive

/* A method gets a call, and returns its reply (NULL when it has nothing to tell) or `fail(…)`. */
struct call {
    const cJSON *params, *config; /* what is asked, and the table `[stages.@stage@.config]` */
    cJSON *failure;
};

/* The text of a field; NULL where there is none. */
static const char *text(const cJSON *object, const char *key) { return cJSON_GetStringValue(get(object, key)); }

static cJSON *fail(struct call *call, const char *kind, const char *message, const char *hint) {
    call->failure = cJSON_CreateObject();
    cJSON_AddStringToObject(call->failure, "kind", kind);
    cJSON_AddStringToObject(call->failure, "message", message);
    cJSON_AddStringToObject(call->failure, "outcome", "none"); /* or `partial`, `unknown`: what is left behind */
    if (hint) cJSON_AddStringToObject(call->failure, "hint", hint);
    return NULL;
}

#define NOT_WRITTEN(what) \
    fail(call, "failed", what " of provider `@name@`: not written yet", "write it in `" __FILE__ "`")

/* Refuses a config that has other keys than `known`, which is written `" a b "`. */
static int only_keys(struct call *call, const char *known) {
    const cJSON *item;
    cJSON_ArrayForEach(item, call->config) {
        char word[128], message[256];
        snprintf(word, sizeof word, " %s ", item->string);
        snprintf(message, sizeof message, "`%.100s` is no key of this provider's `config`", item->string);
        if (!strstr(known, word)) {
            fail(call, "invalid", message, NULL);
            return 0;
        }
    }
    return 1;
}

struct method {
    const char *name;
    cJSON *(*run)(struct call *);
};

@provider@

/* The rest is the wire. */

static int say(const cloudpad_host_v1 *host, cJSON *message) {
    char *line = cJSON_PrintUnformatted(message);
    int gone = !line || host->send(host->ctx, (const uint8_t *)line, strlen(line)) != 0;
    free(line);
    cJSON_Delete(message);
    return gone;
}

static const size_t COUNT = sizeof METHODS / sizeof *METHODS;

static cJSON *hello(void) {
    cJSON *hello = cJSON_Parse("{\"t\":\"hello\",\"name\":\"cloudpad-@name@-@stage@\",\"version\":\"0.1.0\","
                               "\"protocols\":[1],\"provides\":[" OFFER "]}");
    cJSON *methods = cJSON_AddArrayToObject(get(hello, "provides")->child, "methods");
    for (size_t i = 0; i < COUNT; i++) cJSON_AddItemToArray(methods, cJSON_CreateString(METHODS[i].name));
    return hello;
}

static cJSON *answer(const cJSON *message) {
    struct call call = {get(message, "params"), get(message, "config"), NULL};
    const char *method = text(message, "method"), *provider = text(message, "provider");
    cJSON *ok = NULL, *answer = cJSON_CreateObject();
    size_t i = 0;
    while (i < COUNT && (!method || strcmp(METHODS[i].name, method))) i++;
    if (i < COUNT && provider && !strcmp(provider, "@name@")) ok = METHODS[i].run(&call);
    else fail(&call, "unsupported", "this plugin offers methods of the provider `@name@`, and not this one", NULL);
    if (!call.failure && !ok) ok = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "t", call.failure ? "error" : "result");
    cJSON_AddItemToObject(answer, "id", cJSON_Duplicate(get(message, "id"), 0));
    cJSON_AddItemToObject(answer, call.failure ? "error" : "ok", call.failure ? call.failure : ok);
    return answer;
}

int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *host) {
    const uint8_t *line;
    size_t length;
    if (!host || host->size < sizeof *host || !host->recv || !host->send) return CLOUDPAD_NOT_UNDERSTOOD;
    if (say(host, hello())) return CLOUDPAD_FAILED;
    while ((line = host->recv(host->ctx, &length))) {
        cJSON *message = cJSON_ParseWithLength((const char *)line, length);
        const char *type = text(message, "t");
        int is_other = type && !strcmp(type, "hello") && cJSON_GetNumberValue(get(message, "protocol")) != 1;
        int gone = is_other || (type && !strcmp(type, "call") && say(host, answer(message)));
        cJSON_Delete(message);
        if (gone) return CLOUDPAD_FAILED;
    }
    return CLOUDPAD_FINISHED;
}
