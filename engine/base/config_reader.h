/* config_reader.h: one run over the keys of a config, for the parsers of model_config.h.
 *
 * The first failure sticks: later calls do nothing and return their fallback, so a parser reads all
 * its keys one after the other and asks once at the end. */
#pragma once

#include "engine/base/json.h"

struct config_reader {
    JsonNode *root;
    JsonObject *object; // what is read; belongs to root
    const char *what;   // the file, for sentences
    const char *advice; // what to use instead of what is refused; NULL: a plain model
    GError **error;
    bool failed;
};

/* A key whose value the engine cannot do otherwise: `allowed` is its JSON text, or several with `|`
 * between them (texts without quotation marks). Absent is always allowed. */
struct config_fixed {
    const char *key, *allowed;
};

// reads the file, of at most 1 MiB; the reader has failed when it holds no JSON object
void config_reader_open(struct config_reader *reader, const char *path, GError **error);
// true when nothing failed; frees the tree
bool config_reader_finish(struct config_reader *reader);

// sets the sentence "WHAT: ..." unless there is one already
void config_fail(struct config_reader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);

// refuses the first key of the table that has another value, by name
void config_check(struct config_reader *reader, const struct config_fixed *table, size_t n);

// whole number in a range; absent and null give the fallback
int config_int(struct config_reader *reader, const char *key, int low, int high, int fallback);
bool config_bool(struct config_reader *reader, const char *key, bool fallback);
// a finite number in a range
double config_double(struct config_reader *reader, const char *key, double low, double high,
                     double fallback);
// belongs to the tree; NULL allowed as the fallback
const char *config_text(struct config_reader *reader, const char *key, const char *fallback);
/* The index of the text in a NULL-terminated list; another one is refused with the list named. The
 * fallback may be any number, for what is none of them. */
int config_choice(struct config_reader *reader, const char *key, const char *const *choices,
                  int fallback);

/* One number a level: a list of exactly n, or one number for all. */
void config_levels(struct config_reader *reader, const char *key, int low, int high, int fallback,
                   int n, int *values);
// one number, which may stand in a list n times
int config_same(struct config_reader *reader, const char *key, int low, int high, int fallback,
                int n);

// true when the key is there with the value null
bool config_is_null(struct config_reader *reader, const char *key);
