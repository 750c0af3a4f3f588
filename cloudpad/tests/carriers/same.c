/* The provider that every carrier of the suite has, in C. Its config says what it does. */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloudpad_plugin.h"

#define get cJSON_GetObjectItemCaseSensitive

static const cloudpad_host_v1 *host;

static void say(cJSON *message) {
    char *line = cJSON_PrintUnformatted(message);
    host->send(host->ctx, (const uint8_t *)line, strlen(line));
    free(line);
    cJSON_Delete(message);
}

static const char *text(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text ? text : "";
}

static cJSON *begin(const char *t, const cJSON *call) {
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "t", t);
    cJSON_AddItemToObject(message, "id", cJSON_Duplicate(get(call, "id"), 0));
    return message;
}

/* Sends an event; `fields` is the rest of it as JSON, with `%d` where `number` belongs. */
static void event(const cJSON *call, const char *fields, int number) {
    char rest[512];
    snprintf(rest, sizeof rest, fields, number);
    cJSON *message = begin("event", call), *more = cJSON_Parse(rest);
    while (more->child) {
        cJSON *field = cJSON_DetachItemViaPointer(more, more->child);
        cJSON_AddItemToObject(message, field->string, field);
    }
    cJSON_Delete(more);
    say(message);
}

static void ok(const cJSON *call, cJSON *reply) {
    cJSON *message = begin("result", call);
    cJSON_AddItemToObject(message, "ok", reply);
    say(message);
}

static void fail(const cJSON *call, const char *kind, const char *words, const char *hint) {
    cJSON *message = begin("error", call), *error = cJSON_AddObjectToObject(message, "error");
    cJSON_AddStringToObject(error, "kind", kind);
    cJSON_AddStringToObject(error, "message", words);
    if (hint) cJSON_AddStringToObject(error, "hint", hint);
    cJSON_AddBoolToObject(error, "retryable", 0);
    cJSON_AddStringToObject(error, "outcome", "none");
    say(message);
}

static void check(const cJSON *call) {
    const cJSON *item;
    char words[256];
    cJSON_ArrayForEach(item, get(call, "config")) {
        snprintf(words, sizeof words, " %s ", item->string);
        if (strstr(" count fail panic wait ", words)) continue;
        snprintf(words, sizeof words, "`%s` is no key of this provider's `config`", item->string);
        fail(call, "invalid", words, "its keys: count, fail, panic, wait");
        return;
    }
    ok(call, cJSON_CreateObject());
}

static void wait_for_cancel(const cJSON *call) {
    const uint8_t *line;
    size_t length;
    event(call, "{\"kind\":\"log\",\"level\":\"info\",\"message\":\"waiting\"}", 0);
    while ((line = host->recv(host->ctx, &length))) {
        cJSON *message = cJSON_ParseWithLength((const char *)line, length);
        int is_it = !strcmp(text(message, "t"), "cancel") && cJSON_Compare(get(message, "id"), get(call, "id"), 1);
        cJSON_Delete(message);
        if (!is_it) continue;
        fail(call, "cancelled", "stopped because the caller asked for it", NULL);
        return;
    }
}

static void count(const cJSON *call, int count) {
    cJSON *reply = cJSON_CreateObject(), *hosts = cJSON_AddArrayToObject(reply, "hosts");
    event(call, "{\"kind\":\"log\",\"level\":\"debug\",\"message\":\"counting to %d\"}", count);
    event(call, "{\"kind\":\"progress\",\"label\":\"counting \\u2713\",\"done\":0,\"total\":%d,\"unit\":\"steps\"}", count);
    event(call, "{\"kind\":\"progress\",\"label\":\"more\",\"done\":%d}", count);
    for (int number = 1; number <= count; number++) {
        char name[16], address[64];
        event(call, "{\"kind\":\"output\",\"source\":\"count\",\"line\":\"%d\"}", number);
        snprintf(name, sizeof name, "h%d", number);
        snprintf(address, sizeof address, "deploy@192.0.2.%d:2222", number);
        cJSON *item = number > 1 ? cJSON_CreateObject()
                                 : cJSON_Parse("{\"roles\":[\"web\",\"db\"],\"labels\":{\"zone\":\"\\\"\\u00fc\\\\\\ud83d\\udc33\\t\"}}");
        cJSON_AddStringToObject(item, "name", name);
        cJSON_AddStringToObject(item, "address", address);
        cJSON_AddItemToArray(hosts, item);
    }
    event(call, "{\"kind\":\"output\",\"line\":\"\"}", 0);
    event(call, "{\"kind\":\"log\",\"level\":\"warn\",\"message\":\"that was all\"}", 0);
    ok(call, reply);
}

static void list(const cJSON *call) {
    const cJSON *config = get(call, "config");
    if (get(config, "fail")) {
        cJSON *message = begin("error", call);
        cJSON_AddItemToObject(message, "error",
                              cJSON_Parse("{\"kind\":\"unreachable\",\"message\":\"could not reach `rack`: no route\","
                                          "\"causes\":[\"the line is cut\",\"a digger\"],\"hint\":\"look at the line\","
                                          "\"retryable\":true,\"outcome\":\"partial\",\"host\":\"h7\"}"));
        say(message);
    } else if (get(config, "wait")) {
        wait_for_cancel(call);
    } else {
        const cJSON *number = get(config, "count");
        int to = number ? number->valueint : 0;
        FILE *file = cJSON_IsString(number) ? fopen(number->valuestring, "r") : NULL;
        if (file && (fscanf(file, "%d", &to) != 1 || fclose(file))) to = -1;
        count(call, to);
    }
}

static void push(const cJSON *call) {
    const cJSON *params = get(call, "params");
    char words[256];
    cJSON *told = begin("event", call), *reply = cJSON_CreateObject();
    snprintf(words, sizeof words, "key `%s`, %d similar", text(call, "key"), cJSON_GetArraySize(get(params, "similar")));
    cJSON_AddStringToObject(told, "kind", "log");
    cJSON_AddStringToObject(told, "level", "info");
    cJSON_AddStringToObject(told, "message", words);
    say(told);
    snprintf(words, sizeof words, "registry.example/%s", text(params, "reference"));
    cJSON_AddStringToObject(reply, "reference", words);
    cJSON_AddNumberToObject(reply, "sent", 1099511627776.0);
    ok(call, reply);
}

static void answer(const cJSON *call) {
    const char *method = text(call, "method");
    int is_ours = !strcmp(text(call, "provider"), "same");
    if (is_ours && !strcmp(method, "config.check")) check(call);
    else if (is_ours && !strcmp(method, "inventory.list")) list(call);
    else if (is_ours && !strcmp(method, "push.run")) push(call);
    else fail(call, "unsupported", "that is not offered", NULL);
}

int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *given) {
    const uint8_t *line;
    size_t length;
    host = given;
    if (!host || host->size < sizeof *host || !host->recv || !host->send) return CLOUDPAD_NOT_UNDERSTOOD;
    say(cJSON_Parse("{\"t\":\"hello\",\"name\":\"same-in-c\",\"version\":\"4\",\"protocols\":[1],\"parallel\":false,"
                    "\"provides\":[{\"stage\":\"inventory\",\"provider\":\"same\",\"methods\":[\"config.check\","
                    "\"inventory.list\"],\"about\":\"does what its config says\"},{\"stage\":\"push\","
                    "\"provider\":\"same\",\"methods\":[\"config.check\",\"push.run\"],\"about\":\"pushes nothing\","
                    "\"scope\":\"shared\"}]}"));
    while ((line = host->recv(host->ctx, &length))) {
        cJSON *message = cJSON_ParseWithLength((const char *)line, length);
        int is_other = !strcmp(text(message, "t"), "hello") && cJSON_GetNumberValue(get(message, "protocol")) != 1;
        if (!strcmp(text(message, "t"), "call")) answer(message);
        cJSON_Delete(message);
        if (is_other) return CLOUDPAD_FAILED;
    }
    return CLOUDPAD_FINISHED;
}
