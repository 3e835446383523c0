/* scene.h: what a picture is drawn under: which text acts where in it, and which model counts
 * where, with the subjects that belong there.
 *
 *   part 0  what is outside of the regions that have subjects of their own: all other subjects
 *   part k  the subjects of such a region, and those of part 0
 *   weight  of part k at a place: the sum of its regions' masks there, at most 1, over the sum of
 *           all parts' where that is above 1; of part 0 what is left
 *
 * So a file's shifts touch nothing but its region, and subjects of several files do not add up;
 * adapters that a region has for itself are as subjects are. A part that counts nowhere is left out.
 *
 *   scene_open     regions and parts; asks for their models and texts, before these are opened
 *   scene_prepare  once they are */
#pragma once

#include "engine/base/trace.h"
#include "engine/generate/denoise.h"
#include "engine/generate/paint_sets.h"
#include "engine/generate/regions.h"

/* Borrowed for the call. */
struct scene_texts {
    const char *negative;
    const char *everywhere; // what acts in all of the picture
    const struct svdiff_region *regions;
    int n_regions;
};

struct scene {
    struct regions regions;
    int *rows;                  // numbers of texts: negative, everywhere, the regions'
    GArray *all;                // struct scene_part (scene.c)
    struct denoise_part *parts; // [n], once it is prepared
    int n;
};

/* Latents of h x w; n_subjects: of how many, adapters included, the regions choose theirs. To be finished in any
 * case. */
bool scene_open(struct scene *s, struct paint_sets *sets, const struct scene_texts *texts,
                int n_subjects, int h, int w, GError **error);
void scene_prepare(struct scene *s, const struct paint_sets *sets);
void scene_finish(struct scene *s); // accepts a zeroed one

/* d predicts under the scene from now on. */
void scene_use(const struct scene *s, struct denoise *d);

/* "regions" [1, n, h, w], and where there are several parts "set_weight.K" [1, 1, h, w]. */
void scene_trace(const struct scene *s, struct trace *trace);

/* NAME [2, tokens, width], without and with the prompt, or from the second on; those of further
 * parts as NAME.K. */
void scene_trace_texts(const struct scene *s, struct trace *trace, const char *name, int from);
