/*
 * A host in C for plugins that are dynamic libraries: hands on lines from standard input, and prints what comes
 * back as lines.
 *
 *   host LIBRARY [large | small | null | norecv | nosend]
 *
 * The exit code is what the plugin returned.
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "cloudpad_plugin.h"

static char here;

static void check(int so, const char *what)
{
    if (!so) {
        fprintf(stderr, "host: %s\n", what);
        exit(99);
    }
}

static const uint8_t *host_recv(void *ctx, size_t *len)
{
    static char *line;
    static size_t space;
    ssize_t read;

    check(ctx == &here, "recv has not got the host's ctx");
    read = getline(&line, &space, stdin);
    if (read < 0)
        return NULL;
    *len = (size_t)read - (line[read - 1] == '\n');
    return (const uint8_t *)line;
}

static int32_t host_send(void *ctx, const uint8_t *msg, size_t len)
{
    check(ctx == &here, "send has not got the host's ctx");
    check(memchr(msg, '\n', len) == NULL, "a message with an end of line");
    fwrite(msg, 1, len, stdout);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : 1;
}

/* The struct of a host that is newer than the plugin. */
struct newer {
    cloudpad_host_v1 known;
    void *more[4];
};

int main(int argc, char **argv)
{
    struct newer host = {
        { sizeof(cloudpad_host_v1), 0, &here, host_recv, host_send },
        { NULL, NULL, NULL, NULL },
    };
    const char *how = argc > 2 ? argv[2] : "";
    int32_t (*plugin)(const cloudpad_host_v1 *);
    void *library, *symbol;

    check(argc > 1, "which library?");
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    check(library != NULL, "the library cannot be loaded");
    symbol = dlsym(library, "cloudpad_plugin_v1");
    check(symbol != NULL, "cloudpad_plugin_v1 is not exported");
    memcpy(&plugin, &symbol, sizeof plugin);

    if (strcmp(how, "large") == 0) {
        host.known.size = sizeof host;
        host.known.flags = 0x80000001u;
    }
    if (strcmp(how, "small") == 0)
        host.known.size = sizeof(cloudpad_host_v1) - 1;
    if (strcmp(how, "norecv") == 0)
        host.known.recv = NULL;
    if (strcmp(how, "nosend") == 0)
        host.known.send = NULL;
    return plugin(strcmp(how, "null") == 0 ? NULL : &host.known);
}
