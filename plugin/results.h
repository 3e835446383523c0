/* results.h: the pictures that a worker made, as layers. */
#pragma once

#include "plugin/call.h"

// all of it is known before the worker begins; free with results_clear
struct results {
    host_image image; // HOST_NONE: a new one
    host_item below;  // the layer right above which they go; HOST_NONE: on top
    char **prompts;   // each has `count` pictures, one prompt after another; owned
    char **labels;    // of a strip of the one prompt: each has `count` pictures; owned, NULL: none
    int count, seed;  // picture k of a prompt or label has seed + k
    bool placed;      // else at the corner of `area`, in the size in which it was made
    struct host_area area; // where they go
    struct host_area seen; // what a picture shows, if that is more than `area`; else width 0
    float *mask;           // of the layers, [area.height, area.width]; NULL: none; owned
};

/* What the layer of a picture is called: "a fox in the snow (seed 7)". g_free it. */
char *results_name(const char *prompt, int64_t seed);

/* Takes the image and the count from the call: they go right above its layer, or above the highest
 * where a procedure works on several, none of which may hide them. Copies the prompts. */
void results_init(struct results *r, const struct call *c, const char *const *prompts, int seed);
void results_clear(struct results *r);

/* Takes the selection, where something is selected, as the mask; `area` must be set. false with a
 * sentence: without memory. */
bool results_take_selection(struct results *r, GError **error);

/* The pictures of these files (struct layers_out_picture), which carry the values with their seeds.
 * NULL with a sentence: the worker made another number, or a file cannot be read. */
GArray *results_read(const struct results *r, const values *v, char **files, GError **error);

/* Keeps them in the history, with the mask, before they are inserted: the layers then know what
 * they show. false with a sentence: not all are kept. */
bool results_keep(const struct results *r, GArray *pictures, GError **error);

/* Inserts them. false with a sentence when the image is gone. */
bool results_insert(const struct results *r, const GArray *pictures, struct call_result *result,
                    GError **error);
