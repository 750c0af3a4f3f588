#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OFFER "{\"stage\":\"source\",\"provider\":\"@name@\",\"about\":\"directories of this machine\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    only_keys(call, "");
    return NULL;
}

/* The source's directory; NULL when the call has failed. */
static const char *directory(struct call *call, const cJSON *source) {
    const cJSON *location = get(source, "location");
    const char *type = text(location, "type"), *path = text(location, "path");
    struct stat seen;
    if (!type || !path || strcmp(type, "directory")) NOT_WRITTEN("what is no directory");
    else if (stat(path, &seen) || !S_ISDIR(seen.st_mode)) fail(call, "failed", "the source's directory is not there", path);
    return call->failure ? NULL : path;
}

/* What the source stands for now, at the least cost. Only its files say what a directory is: not pinned. */
static cJSON *source_resolve(struct call *call) {
    const char *name = text(call->params, "name"), *path = directory(call, call->params);
    if (!name || !path) return NULL;
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddStringToObject(reply, "name", name);
    cJSON_AddStringToObject(reply, "path", path);
    cJSON_AddBoolToObject(reply, "pinned", 0);
    return reply;
}

/* Runs a command in a directory; what it prints goes to the log. */
static int ran(const char *path, const cJSON *command) {
    const char *words[64] = {NULL};
    const cJSON *word;
    int count = 0, status = -1;
    cJSON_ArrayForEach(word, command) if (count < 63) words[count++] = cJSON_GetStringValue(word);
    pid_t child = fork();
    if (child == 0) {
        if (count && !chdir(path)) execvp(words[0], (char **)words);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Brings `revision` to the path that was resolved, then runs the `prepare` commands there. */
static cJSON *source_fetch(struct call *call) {
    const char *path = directory(call, get(call->params, "source"));
    const cJSON *command;
    if (!path) return NULL;
    cJSON_ArrayForEach(command, get(call->params, "prepare"))
        if (!ran(path, command)) return fail(call, "failed", "a `prepare` command failed", path);
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddStringToObject(reply, "path", path);
    cJSON_AddBoolToObject(reply, "changed", 0);
    return reply;
}

static const struct method METHODS[] = {
    {"config.check", config_check}, {"source.resolve", source_resolve}, {"source.fetch", source_fetch}};
