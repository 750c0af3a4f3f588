/*
 * A plugin's library with somebody in between who hears all that is said, and kills the process where a test says so.
 * FOLDER and PLUGIN are given to the compiler. As `program.py` does it.
 */

#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloudpad_plugin.h"

#define get cJSON_GetObjectItemCaseSensitive
#define MOST 4096

static const cloudpad_host_v1 *host;
static const cJSON *rule;
static int left;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The method and the host of each call. */
static struct { char method[32], host[32]; } calls[MOST];

static const char *text(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text ? text : "-";
}

static void log_line(const char *word, const char *at, const char *method, const char *on) {
    char line[256];
    int length = snprintf(line, sizeof line, "%s %s%s%s %s\n", word, at, *at ? " " : "", method, on);
    int file = open(FOLDER "/log", O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (write(file, line, length) != length) abort();
    close(file);
}

static cJSON *rule_of_test(void) {
    static char content[4096];
    FILE *file = fopen(FOLDER "/rule", "r");
    if (!file) return cJSON_CreateObject();
    content[fread(content, 1, sizeof content - 1, file)] = 0;
    fclose(file);
    return cJSON_Parse(content);
}

static int killed(void) {
    char line[256];
    int count = 0;
    FILE *file = fopen(FOLDER "/log", "r");
    while (fgets(line, sizeof line, file)) count += strncmp(line, "killed ", 7) == 0;
    fclose(file);
    return count;
}

static int is_meant(const char *at, long id) {
    const cJSON *on = get(rule, "host");
    if (strcmp(at, text(rule, "at")) || strcmp(calls[id].method, text(rule, "method"))) return 0;
    if (cJSON_IsString(on) && strcmp(calls[id].host, on->valuestring)) return 0;
    pthread_mutex_lock(&lock);
    int meant = left-- > 0;
    pthread_mutex_unlock(&lock);
    return meant;
}

/* Waits for what has to be so, and kills the process. */
static void *die(void *id) {
    const char *until = cJSON_GetStringValue(get(rule, "until"));
    if (until && system(until)) abort();
    log_line("killed", text(rule, "at"), calls[(long)id].method, calls[(long)id].host);
    kill(getpid(), SIGKILL);
    return NULL;
}

static const uint8_t *hear_host(void *ctx, size_t *len) {
    const uint8_t *message = host->recv(ctx, len);
    if (!message) return message;
    cJSON *call = cJSON_ParseWithLength((const char *)message, *len);
    if (!strcmp(text(call, "t"), "call")) {
        long id = (long)get(call, "id")->valuedouble % MOST;
        snprintf(calls[id].method, sizeof calls[id].method, "%s", text(call, "method"));
        snprintf(calls[id].host, sizeof calls[id].host, "%s", text(get(get(call, "params"), "host"), "name"));
        log_line("call", "", calls[id].method, calls[id].host);
        pthread_t thread;
        /* The plugin gets the call when this returns. */
        if (is_meant("call", id)) pthread_create(&thread, NULL, die, (void *)id);
    }
    cJSON_Delete(call);
    return message;
}

static int32_t hear_plugin(void *ctx, const uint8_t *message, size_t len) {
    cJSON *said = cJSON_ParseWithLength((const char *)message, len);
    const char *t = text(said, "t");
    if (!strcmp(t, "result") || !strcmp(t, "error")) {
        long id = (long)get(said, "id")->valuedouble % MOST;
        if (is_meant("answer", id)) die((void *)id);
        log_line(t, "", calls[id].method, calls[id].host);
    }
    cJSON_Delete(said);
    return host->send(ctx, message, len);
}

int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *given) {
    static cloudpad_host_v1 between;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    log_line("start", "", pid, "");
    host = given;
    rule = rule_of_test();
    left = (get(rule, "times") ? get(rule, "times")->valueint : 0) - killed();
    between = *given;
    between.recv = hear_host;
    between.send = hear_plugin;
    void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
    int32_t (*serve)(const cloudpad_host_v1 *) = NULL;
    if (plugin) *(void **)&serve = dlsym(plugin, "cloudpad_plugin_v1");
    return serve ? serve(&between) : CLOUDPAD_FAILED;
}
