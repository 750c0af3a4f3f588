/* Plays Cloudpad to the plugin: `make test`. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloudpad_plugin.h"

/* What the host says, with ' for ", and what the answer has to contain; nothing where there is no answer. */
struct step {
    const char *say, *expect;
};

#define CALL(method, params, config) \
    "{'t':'call','id':7,'provider':'@name@','method':'" method "','params':" params ",'config':" config "}"

static const struct step STEPS[] = {
    {"{'t':'hello','protocol':1,'version':'0.1.0','max_line':16777216}", NULL},
    {"{'t':'applause','loud':true}", NULL},
    {CALL("config.check", "{}", "{}"), "'t':'result','id':7,'ok':{}"},
    {CALL("config.check", "{}", "{'colour':1}"), "'kind':'invalid'"},
    {CALL("@stage@.sing", "{}", "{}"), "'kind':'unsupported'"},
@tests@
};

static const size_t COUNT = sizeof STEPS / sizeof *STEPS;
static size_t said, answered;
static char line[65536];
static const char *expected = "'protocols':[1],'provides':[{'stage':'@stage@','provider':'@name@'";

static void quote(char from, char to) {
    for (char *c = line; *c; c++)
        if (*c == from) *c = to;
}

static const uint8_t *next(void *ctx, size_t *length) {
    (void)ctx;
    if (expected) {
        printf("no answer to %s\n", said ? STEPS[said - 1].say : "nothing");
        exit(1);
    }
    if (said == COUNT) return NULL;
    expected = STEPS[said].expect;
    snprintf(line, sizeof line, "%s", STEPS[said++].say);
    quote('\'', '"');
    *length = strlen(line);
    return (const uint8_t *)line;
}

static int32_t check(void *ctx, const uint8_t *answer, size_t length) {
    (void)ctx;
    snprintf(line, sizeof line, "%.*s", (int)length, (const char *)answer);
    quote('"', '\'');
    if (!expected || !strstr(line, expected)) {
        printf("the answer to %s\nis %s\nwithout %s\n", said ? STEPS[said - 1].say : "nothing", line,
               expected ? expected : "being asked for");
        exit(1);
    }
    expected = NULL;
    answered++;
    return 0;
}

int main(void) {
    void *library = dlopen("./cloudpad-@name@-@stage@.so", RTLD_NOW | RTLD_LOCAL);
    int32_t (*plugin)(const cloudpad_host_v1 *) = NULL;
    if (library) *(void **)&plugin = dlsym(library, "cloudpad_plugin_v1");
    if (!plugin) return printf("%s\n", dlerror()), 1;
    const cloudpad_host_v1 host = {.size = sizeof host, .recv = next, .send = check};
    int32_t ended = plugin(&host);
    printf("%zu answers, ended with %d\n", answered, (int)ended);
    return ended;
}
