/* given.h: what of a table of options a command line gives, and the help that tells of it.
 *
 *   given_begin(&g, &options_of_learn, 0);
 *   given_add_entries(&g, defaults, entries);      to GOption, which fills g
 *   given_apply(&g, &options, &error)              on top of the defaults that are there
 *   given_text(&g, "squares")                      of options without a field
 *
 * Values are taken as texts and read here, so that each refusal names its option. */
#pragma once

#include "engine/options/option.h"

// of one option; owned
struct given_value {
    char *text;  // NULL where it is not there
    char **list; // the same of OPTION_FILES
    int on;      // of a switch: -1 where it is not there
};

struct given {
    const struct option_table *table; // NULL: of none
    unsigned flags;                   // rows with one of these; 0: all
    struct given_value *values;       // [n], of the table's rows
};

void given_begin(struct given *g, const struct option_table *t, unsigned flags);
void given_finish(struct given *g);

/* Adds the table's entries to an array of GOptionEntry. defaults: a job's struct, whose values the
 * help names, or NULL. Texts of the help go into `texts`, which has to outlive the entries. */
void given_add_entries(struct given *g, const void *defaults, GArray *entries, GPtrArray *texts);

/* Takes a value as if it had been given, where none was; of a switch any text. Of a list the function takes
 * all of it. */
void given_suggest(struct given *g, const char *name, const char *text);
void given_suggest_list(struct given *g, const char *name, char **list);

/* Sets the fields of what was given, and checks the rest. False with a sentence. */
bool given_apply(const struct given *g, void *options, GError **error);
/* The same for another method than the one that is given, which the options have: what it has no use for is
 * left out. */
bool given_apply_useful(const struct given *g, void *options, GError **error);
/* The same of one option. */
bool given_apply_one(const struct given *g, const char *name, void *options, GError **error);

/* By name, which must exist: whether it is there, and what it says, else the default. Numbers after
 * given_apply. A list is NULL-terminated, and NULL where it is not there. */
bool given_has(const struct given *g, const char *name);
const char *given_text(const struct given *g, const char *name);
char *const *given_list(const struct given *g, const char *name);
double given_number(const struct given *g, const char *name);
