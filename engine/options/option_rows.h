/* option_rows.h: rows of a table, for the files of the tables alone. FIELD is theirs: the offset of
 * a field of their struct. */
#pragma once

#include "engine/options/option.h"

#define APART      OPTION_NO_FIELD
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define INT(name_, field_, standard_, low_, high_, flags_, value_, help_)                          \
    {                                                                                              \
        .name = name_, .kind = OPTION_INT, .flags = flags_, .field = field_,                       \
        .standard = standard_, .low = low_, .high = high_, .value = value_, .help = help_          \
    }
#define NUMBER(name_, field_, standard_, low_, high_, flags_, value_, help_)                       \
    {                                                                                              \
        .name = name_, .kind = OPTION_NUMBER, .flags = flags_, .field = field_,                    \
        .standard = standard_, .low = low_, .high = high_, .value = value_, .help = help_          \
    }
#define BOOL(name_, field_, standard_, flags_, help_)                                              \
    {                                                                                              \
        .name = name_, .kind = OPTION_BOOL, .flags = flags_, .field = field_,                      \
        .standard = standard_, .help = help_                                                       \
    }
#define CHOICE(name_, field_, standard_, first_, words_, flags_, help_)                            \
    {                                                                                              \
        .name = name_, .kind = OPTION_CHOICE, .flags = flags_, .field = field_,                    \
        .standard = standard_, .first = first_, .words = words_, .value = "NAME", .help = help_    \
    }
#define EITHER(name_, field_, standard_, words_, flags_, help_)                                    \
    {                                                                                              \
        .name = name_, .kind = OPTION_EITHER, .flags = flags_, .field = field_,                    \
        .standard = standard_, .words = words_, .value = "NAME", .help = help_                     \
    }
// texts, files, lists of them, seeds
#define OTHER(kind_, name_, field_, text_, value_, help_)                                          \
    {                                                                                              \
        .name = name_, .kind = kind_, .field = field_, .text = text_, .value = value_,             \
        .help = help_                                                                              \
    }

// what several jobs have, each with its own FIELD
#define NEGATIVE_ROW OTHER(OPTION_TEXT, "negative", FIELD(negative), "", "TEXT", "what not to draw")
#define KEEP_ROW(field_)                                                                           \
    INT("keep", field_, 0, 1, G_MAXINT, 0, "K",                                                    \
        "of each layer's changes by a subject the K largest, where the subject does not say it "   \
        "(all)")
#define LORA_ROW(help_) OTHER(OPTION_FILES, "lora", APART, NULL, "FILE[:STRENGTH]", help_)
#define EMBEDDING_ROW                                                                              \
    OTHER(OPTION_FILES, "embedding", APART, NULL, "FILE[=WORD]",                                   \
          "a textual inversion, a file or its name, and the word that stands for it (its own; "    \
          "repeat)")
#define QUALITY_ROW                                                                                \
    INT("quality", APART, 90, 1, 100, 0, "N", "of .jpg and .webp, 1 to 100 ({default})")
#define PREVIEW_ROW                                                                                \
    OTHER(OPTION_FILE, "preview", FIELD(preview), NULL, "PATTERN",                                 \
          "a small picture of each step (.png); %d is the step's number")
#define TRACE_ROW OTHER(OPTION_FILE, "trace", FIELD(trace), NULL, "FILE", "write what was computed")
#define ESTIMATE_ROW                                                                               \
    BOOL("estimate", APART, 0, 0, "say how much memory and time it takes, and do nothing")
#define SEED_ROW                                                                                   \
    OTHER(OPTION_SEED, "seed", FIELD(seed), NULL, "N",                                             \
          "what random numbers begin with (a random one, which is said)")
