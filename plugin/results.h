/* results.h: the pictures that a worker made, as layers. */
#pragma once

#include "plugin/call.h"

struct results {
    const struct call *call;
    const char *const
        *prompts;          // NULL-terminated; each has `count` pictures, one prompt after another
    int count, seed;       // picture k of a prompt has seed + k
    bool placed;           // else at the corner of `area`, in the size in which it was made
    struct host_area area; // where they go
    struct host_area seen; // what a picture shows, if that is more than `area`; else width 0
    bool masked;           // by the selection
};

/* Reads the files and inserts them above the call's layer, in a new image when it has none; all are
 * in memory before the image is touched. false with a sentence: the worker made another number, or
 * a file cannot be read. */
bool results_insert(const struct results *r, char **files, struct call_result *result,
                    GError **error);
