/* merge.h: a model with subjects and adapters in its weights, as a file or a folder of its own.
 *
 *   struct merge m;
 *   bool done = merge_open(&m, session, subjects, n, NULL, progress, user, &error) &&
 *               merge_folder(&m, "fox-model", &error);
 *   merge_close(&m);
 *
 * Weights are those of bake.h, W + U diag(relu(sigma + d) - sigma) Vt; tensors keep the types that
 * they have in the model, or all get the one that m.type is set to. One tensor at a time is in
 * memory. Every output is written whole or not at all. */
#pragma once

#include "engine/subject/bake.h"
#include "engine/base/safetensors_write.h"

struct merge {
    svdiff *session;                 // borrowed
    struct model_spectrum *spectrum; // owned
    struct adapter_list basis;       // that the subjects were learned on; its array is owned
    struct bake bake;
    enum dtype type;            // that numbers are written in; DTYPE_OTHER: as the model has them
    progress_function progress; // may be NULL
    void *user;
};

/* Prepares the spectra, where there are subjects. subjects and adapters (NULL: none) are borrowed and fit the
 * model (subject_list.h, adapter_list.h); subjects that were learned on top of an adapter need it among these.
 * To be closed in any case. */
bool merge_open(struct merge *m, svdiff *s, const struct bake_subject *subjects, int n_subjects,
                const struct adapter_list *adapters, progress_function progress, void *user,
                GError **error);
void merge_close(struct merge *m);

/* The values of checkpoint_at(model, index) with subjects and adapters in them, in PyTorch's order. */
bool merge_read(const struct merge *m, size_t index, float *out, GError **error);

/* A diffusers folder: unet/, text_encoder/ and vae/ with one file of weights each, everything else
 * copied. Names of tensors are those of the model's folder; those of a single file become
 * diffusers'. `path` must not exist, or be an empty folder. */
bool merge_folder(struct merge *m, const char *path, GError **error);
/* Whether that could be written, found out by beginning it: to be asked before long work. */
bool merge_folder_check(const char *path, GError **error);

/* One file in the CompVis layout. From a single file all tensors keep their names, and those that
 * belong to no network stay, but for the averages of training (model_ema.). */
bool merge_checkpoint(struct merge *m, const char *path, GError **error);

/* ---- for the files that write models ---- */

/* What modelspec.architecture calls the model, and ss_base_model_version of kohya's scripts. */
const char *merge_architecture(const struct checkpoint *c);
const char *merge_base_version(const struct checkpoint *c);

/* Tells that `done` of `all` tensors are written; false with SVDIFF_ERROR_CANCELLED. */
bool merge_go_on(const struct merge *m, int done, int all, GError **error);

/* A tensor to be written: the rows of the model's tensors `parts` one after another, or with
 * n_parts 0 a tensor of another file. */
struct merge_tensor {
    struct safetensors_entry entry; // entry.name is owned
    size_t parts[3];
    int n_parts;
    const struct safetensors *file; // borrowed, with `other`
    const struct safetensors_tensor *other;
};

/* One without parts yet, in the type that it is written in: named and shaped as a file has it, or
 * with this name in the shape of the network's. */
struct merge_tensor merge_as_stored(const struct safetensors_tensor *stored);
struct merge_tensor merge_as_named(const struct checkpoint *c, size_t index, const char *name);

/* An array of struct merge_tensor that owns its names. */
GArray *merge_tensors_create(void);

/* Writes them as the file `path` with metadata. `done` and `all` count tensors for the progress. */
bool merge_write(const struct merge *m, const char *path, const GArray *tensors,
                 const char *const *keys, const char *const *texts, int done, int all,
                 GError **error);
