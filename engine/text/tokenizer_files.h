/* tokenizer_files.h: what the files of a tokenizer say; for the tokenizer's own sources alone. */
#pragma once

#include "engine/text/added_tokens.h"
#include "engine/text/bpe.h"
#include "engine/base/json.h"
#include "engine/text/tokenizer.h"

struct tokenizer {
    struct bpe *bpe;
    struct added_tokens *added;
    int32_t bos, eos, pad;
};

// one JSON file; object NULL: there is none
struct tokenizer_document {
    char *name;
    JsonNode *root;
    JsonObject *object;
};

// the files, parsed
struct tokenizer_source {
    struct tokenizer_document whole, vocabulary, config, special, added;
    char *merges_name;
    struct tokenizer_file merges;
    const char *pad; // as in struct tokenizer_files
    bool pad_counts;
};

// the tokens that have a name, in the order in which transformers adds them
enum special_name {
    SPECIAL_BOS,
    SPECIAL_EOS,
    SPECIAL_UNK,
    SPECIAL_SEP,
    SPECIAL_PAD,
    SPECIAL_CLS,
    SPECIAL_MASK,
    SPECIAL_NAMES,
};

/* Notes every added token that the files declare, and sets contents to those of the named ones:
 * they belong to source; NULL where there is none. False with an error that names file and key. */
bool special_tokens_read(const struct tokenizer_source *source, struct added_tokens *added,
                         const char *contents[SPECIAL_NAMES], GError **error);
