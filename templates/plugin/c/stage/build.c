#include <ftw.h>

#define OFFER "{\"stage\":\"build\",\"provider\":\"@name@\",\"about\":\"not written yet\"}"

/* Whether the config is one to work with. Touches nothing. */
static cJSON *config_check(struct call *call) {
    only_keys(call, "");
    return NULL;
}

/* FNV-1a, to begin with: a tag that strangers can influence needs SHA-256. */
static uint64_t hash(uint64_t so_far, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) so_far = (so_far ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return so_far;
}

static uint64_t all_files;
static size_t top;

/* Adds a file to `all_files`, whatever their order. */
static int add_file(const char *path, const struct stat *seen, int type, struct FTW *place) {
    const char *name = path + top;
    (void)seen, (void)place;
    if (type != FTW_F || strstr(name, "/.git/") || strstr(name, "/.cloudpad/")) return 0;
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    uint64_t sum = hash(0xcbf29ce484222325, name, strlen(name));
    char block[65536];
    for (size_t count; (count = fread(block, 1, sizeof block, file));) sum = hash(sum, block, count);
    int bad = ferror(file);
    fclose(file);
    all_files += sum;
    return bad;
}

/* A reference for each image, with a tag made from all that goes into its build, and whether it is built.
 * Here all that is asked goes into every tag. That is never wrong, and builds more often than it has to. */
static cJSON *build_observe(struct call *call) {
    uint64_t sum = 0xcbf29ce484222325;
    const cJSON *recipe, *recipes = get(call->params, "recipes");
    cJSON *reply = cJSON_CreateObject(), *images = cJSON_AddArrayToObject(reply, "images");
    all_files = 0;
    cJSON_ArrayForEach(recipe, recipes) {
        const char *path = text(get(recipe, "source"), "path");
        if (!cJSON_IsTrue(get(get(recipe, "source"), "pinned"))) { /* its revision does not say what its files are */
            top = strlen(path ? path : "");
            if (!path || nftw(path, add_file, 16, FTW_PHYS)) {
                cJSON_Delete(reply);
                return fail(call, "failed", "a source's files cannot be read", path);
            }
        }
        cJSON *kept = cJSON_Duplicate(recipe, 1);
        cJSON_DeleteItemFromObject(kept, "secrets");
        cJSON_DeleteItemFromObject(get(kept, "source"), "path");
        char *parts = cJSON_PrintUnformatted(kept);
        sum = hash(sum, parts, strlen(parts));
        free(parts);
        cJSON_Delete(kept);
    }
    cJSON_ArrayForEach(recipe, recipes) {
        char reference[512];
        cJSON *image = cJSON_CreateObject();
        cJSON_AddItemToArray(images, image);
        snprintf(reference, sizeof reference, "%s:%016llx", text(recipe, "repository"), (unsigned long long)(sum + all_files));
        cJSON_AddStringToObject(image, "name", text(recipe, "name"));
        cJSON_AddStringToObject(image, "reference", reference);
        cJSON_AddBoolToObject(image, "built", 0);
    }
    return reply;
}

/* Builds the image of `recipe`, and tags it `reference`. When that tag is there, nothing is done. */
static cJSON *build_run(struct call *call) {
    return NOT_WRITTEN("`build.run`"); /* return cJSON_Parse("{\"id\":\"sha256:…\",\"cached\":false}"); */
}

static const struct method METHODS[] = {
    {"config.check", config_check}, {"build.observe", build_observe}, {"build.run", build_run}};
