/* model_kind.h: what a path is: a model, a subject, an adapter, something else.
 *
 * Nothing is computed and no values are read: first bytes, names and shapes tell. Works for models
 * that the engine cannot use too, so that `svdiff info` can say what they are. */
#pragma once

#include "engine/base/safetensors.h"

enum model_kind {
    MODEL_KIND_FOLDER,     // a diffusers folder
    MODEL_KIND_CHECKPOINT, // one file in the CompVis layout
    MODEL_KIND_PART,       // one network of a model alone
    MODEL_KIND_SUBJECT,    // SVDiff shifts
    MODEL_KIND_ADAPTER,    // LoRA and its relatives
    MODEL_KIND_EMBEDDING,  // textual inversion
    MODEL_KIND_GGUF,
    MODEL_KIND_OTHER, // safetensors of something else
};

struct model_info {
    enum model_kind kind;
    const char *format; // the layout: "diffusers", "compvis", "svdiff-pytorch", "kohya" ...
    const char *family; // "sd1", "sd2", "sdxl", "sdxl-refiner" or "other"; NULL: unknown
    int64_t tensors, values, bytes;
};

// "model", "subject", "adapter" ...: one word for people and programs
const char *model_kind_word(enum model_kind kind);

/* What people call a family, "Stable Diffusion 1.x"; the word itself where there is no other name,
 * NULL for NULL. */
const char *model_family_name(const char *family);

/* The family whose text has this width, "other" for none of them. */
const char *model_family_of_width(int64_t width);

/* "a model", "a LoRA" ...: for sentences. */
const char *model_kind_title(enum model_kind kind);

/* Looks at a path. False with a sentence when it cannot be read, is damaged or is a folder without
 * a model; a GGUF file is described and not refused. */
bool model_kind_examine(const char *path, struct model_info *info, GError **error);

// the same for a file that is open
void model_kind_of_file(const struct safetensors *file, struct model_info *info);

// of one word: a prompt has no more places
#define MODEL_TOKEN_VECTORS 75

/* Whether all tensors of a file are called TOKEN, TOKEN_1, TOKEN_2 and so on, as diffusers has the vectors of one
 * token, which can be any word: in this order into `tensors`, borrowed, and TOKEN into *word. */
bool model_kind_list_token(const struct safetensors *file, GPtrArray *tensors, const char **word);

// the sentence for a folder that holds no model; false
bool model_kind_refuse_folder(const char *path, GError **error);

/* One sentence that says what the file is and that a model (or, with `want_subject`, a subject) is
 * needed instead. */
void model_kind_refuse(const struct safetensors *file, bool want_subject, GError **error);
