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
    const struct tokenizer_word *words; // NULL: bpe and added are its own
    int n_words;
};

// one file, parsed; object NULL: there is none, or it is the one that is not JSON
struct tokenizer_document {
    char *name; // with its folder, for sentences
    JsonNode *root;
    JsonObject *object;
};

// the files, in the order of struct tokenizer_files
struct tokenizer_source {
    const struct tokenizer_files *files;
    union {
        struct {
            struct tokenizer_document whole, vocabulary, merges, config, special, added;
        };
        struct tokenizer_document all[6];
    };
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
