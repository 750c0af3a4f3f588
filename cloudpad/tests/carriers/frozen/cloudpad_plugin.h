/*
 * Cloudpad plugins as dynamic libraries: C ABI, version 1.
 *
 * A plugin exports one function, cloudpad_plugin_v1. A host loads the library in a process that it has
 * started for it, and calls the function once, on that process's main thread. The function serves until
 * recv returns NULL, and returns one of the codes below.
 *
 * Messages are those of wire protocol 1: each is one JSON object, UTF-8, of at most CLOUDPAD_MAX_MESSAGE
 * bytes, without an end of line. The plugin begins with its hello.
 *
 * Frozen: fields may be added at the end of the struct, and nothing else changes. A break would be another
 * function.
 */
#ifndef CLOUDPAD_PLUGIN_H
#define CLOUDPAD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLOUDPAD_MAX_MESSAGE 16777216u

/* What cloudpad_plugin_v1 returns. */
#define CLOUDPAD_FINISHED 0       /* the host has no more messages, and all calls have ended */
#define CLOUDPAD_FAILED 1         /* it could not go on; standard error says why */
#define CLOUDPAD_NOT_UNDERSTOOD 2 /* host is NULL, too small, or lacks a function */
#define CLOUDPAD_PANICKED 101     /* it panicked */

typedef struct cloudpad_host_v1 {
    /* sizeof(cloudpad_host_v1) as the host knows it. A plugin takes a larger one and refuses a smaller one. */
    uint32_t size;
    /* None so far; a plugin ignores those it does not know. */
    uint32_t flags;
    /* The host's own, for the two functions. */
    void *ctx;
    /*
     * The host's next message, and its length in *len. NULL: there are no more, finish. The bytes are the
     * host's, and stay until the next call. Called on the thread that called cloudpad_plugin_v1, and no other.
     */
    const uint8_t *(*recv)(void *ctx, size_t *len);
    /*
     * Takes a copy of a message. Not zero: the host is gone. Called on any thread, by one at a time, and
     * while another waits in recv. Never called after cloudpad_plugin_v1 has returned.
     */
    int32_t (*send)(void *ctx, const uint8_t *msg, size_t len);
} cloudpad_host_v1;

/* Nobody frees what the other has made. */
int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *host);

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(offsetof(cloudpad_host_v1, size) == 0, "cloudpad_host_v1.size");
_Static_assert(offsetof(cloudpad_host_v1, flags) == 4, "cloudpad_host_v1.flags");
_Static_assert(offsetof(cloudpad_host_v1, ctx) == 8, "cloudpad_host_v1.ctx");
_Static_assert(offsetof(cloudpad_host_v1, recv) == 8 + sizeof(void *), "cloudpad_host_v1.recv");
_Static_assert(offsetof(cloudpad_host_v1, send) == 8 + 2 * sizeof(void *), "cloudpad_host_v1.send");
_Static_assert(sizeof(cloudpad_host_v1) == 8 + 3 * sizeof(void *), "cloudpad_host_v1");
#endif

#ifdef __cplusplus
}
#endif

#endif
