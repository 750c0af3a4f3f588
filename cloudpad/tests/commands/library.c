/* A plugin that is a library, and does no more than it has to. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloudpad_plugin.h"

static const char HELLO[] = "{\"t\":\"hello\",\"name\":\"x\",\"version\":\"1\",\"protocols\":[1],\"provides\":"
                            "[{\"stage\":\"inventory\",\"provider\":\"x\",\"methods\":[\"inventory.list\"]}]}";

static int has(const char *line, size_t length, const char *text) { return memmem(line, length, text, strlen(text)) != NULL; }

int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *host) {
    const char *line;
    size_t length;
    if (host->send(host->ctx, (const uint8_t *)HELLO, strlen(HELLO))) return CLOUDPAD_FAILED;
    while ((line = (const char *)host->recv(host->ctx, &length))) {
        char answer[256];
        const char *id = memmem(line, length, "\"id\":", 5);
        if (has(line, length, "\"t\":\"hello\"") && !has(line, length, "\"protocol\":1,")) return CLOUDPAD_FAILED;
        if (!has(line, length, "\"t\":\"call\"") || !id) continue;
        snprintf(answer, sizeof answer,
                 has(line, length, "\"inventory.list\"")
                     ? "{\"t\":\"result\",\"id\":%ld,\"ok\":{\"hosts\":[]}}"
                     : "{\"t\":\"error\",\"id\":%ld,\"error\":{\"kind\":\"unsupported\",\"message\":\"no\"}}",
                 strtol(id + 5, NULL, 10));
        if (host->send(host->ctx, (const uint8_t *)answer, strlen(answer))) return CLOUDPAD_FAILED;
    }
    return CLOUDPAD_FINISHED;
}
