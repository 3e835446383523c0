/* tokenizer_place.h: the tokenizer that a model is read with.
 *
 *   the folder that a person names; else the model's own (checkpoint.h); else CLIP's vocabulary,
 *   which ships, for models that have its number of tokens
 *
 * What fills prompts up differs by family, and an encoder reads it: <|endoftext|> for OpenAI's CLIP
 * (SD 1), "!" for OpenCLIP (SD 2). A model's own files may say it; the other two are not of the
 * model, so the family counts. */
#pragma once

#include "engine/model/checkpoint.h"

#include <stdbool.h>

struct tokenizer_place {
    char *folder; // owned by the caller
    const char *pad;
    bool pad_counts; // before what the files in the folder say
};

/* named may be NULL. False with a sentence when there is none. */
bool tokenizer_place_find(const struct checkpoint *model, const char *named,
                          struct tokenizer_place *place, GError **error);
