/* pickle_machine.h: one run of the machine that reads a pickle, and its stack; for pickle.c alone. */
#pragma once

#include "engine/base/pickle.h"

// values and places of the memo: far above any model's
#define PICKLE_MAX_VALUES (1 << 20)
// what lies in lists and dicts: a value may lie in many, and a few steps may copy all that one has
#define PICKLE_MAX_ITEMS (4 << 20)

struct pickle {
    struct pickle_value *root;
    GPtrArray *values; // all that were made, owned
    uint64_t items;    // that were put into lists and dicts, by all of its steps
    GStringChunk *texts;
};

// one run
struct pickle_machine {
    struct pickle *p;
    const uint8_t *at, *end;
    GPtrArray *stack; // struct pickle_value *; NULL is a mark
    GPtrArray *memo;
    const char *what;
    GError **error;
};

/* Sets the sentence. Always false. */
bool pickle_fail(struct pickle_machine *m, const char *problem);
bool pickle_damaged(struct pickle_machine *m);

/* A new value on the stack; NULL with an error when there are too many. */
struct pickle_value *pickle_push(struct pickle_machine *m, enum pickle_kind kind);
/* The uppermost value, left there or taken; NULL with an error when there is none or it is a mark. */
struct pickle_value *pickle_top(struct pickle_machine *m);
struct pickle_value *pickle_pop(struct pickle_machine *m);

/* So many items more go into a list or dict; false with an error when there are too many. */
bool pickle_count_items(struct pickle_machine *m, uint64_t n);

/* Where the values behind the last mark begin. */
bool pickle_find_mark(struct pickle_machine *m, guint *first);
/* A list of the values from `first` on; under: 1 to take the mark below them, too. Or of the last n. */
bool pickle_make_tuple(struct pickle_machine *m, guint first, guint under);
bool pickle_make_short_tuple(struct pickle_machine *m, guint n);
/* Puts the values behind the mark, or one value, into the list or dict (as pairs) below. */
bool pickle_add_items(struct pickle_machine *m, enum pickle_kind kind);
bool pickle_add_one(struct pickle_machine *m, enum pickle_kind kind);
