/* option.h: what a job can be asked for, each option written once.
 *
 * A table has a row an option. The defaults of a model and its svdiff.json (defaults.c), checks,
 * the command's options and their help (command/given.h), `svdiff info --json`, fingerprints and
 * what files note of a run are loops over it: a new option is a row, its field in svdiff.h and the
 * place that uses it. Needs nothing but GLib. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind { // its field
    OPTION_INT,    // int
    OPTION_NUMBER, // double
    OPTION_BOOL,   // bool, by its name alone
    OPTION_CHOICE, // an enum, by one of some words
    OPTION_EITHER, // bool, by one of two words
    OPTION_TEXT,   // const char *, may be empty
    OPTION_FILE,   // const char *
    OPTION_FILES,  // const char *const *, an option that is repeated
    OPTION_SEED,   // uint64_t
};

enum option_flag {
    OPTION_MODEL = 1 << 0,     // a model's svdiff.json may say it
    OPTION_COUNTS = 1 << 1,    // decides what a run makes: belongs to its fingerprint
    OPTION_SEVERAL = 1 << 2,   // the same where there are several subjects
    OPTION_KEPT = 1 << 3,      // the subject file notes it
    OPTION_IF_ON = 1 << 4,     // its low end is off: neither counts nor is kept then
    OPTION_PIXELS = 1 << 5,    // whole latents; the model's own side, unless it is told
    OPTION_ABOVE = 1 << 6,     // the low end itself is not allowed
    OPTION_HAS_NO = 1 << 7,    // of bools: --no-NAME, too
    OPTION_OPENING = 1 << 8,   // of opening a model: for commands that do
    OPTION_DEVICE = 1 << 9,    // where it computes: for commands that do
    OPTION_NETWORKS = 1 << 10, // how its networks run: for commands that run them
    OPTION_PREDICTS = 1 << 11, // what they predict: for these, and those that write models
};

/* Among the flags, too: an option of some methods alone, those whose bits it has. For the others it
 * neither counts nor is kept, and it is refused where it is given. */
#define OPTION_OF(method) (1u << (16 + (method)))
#define OPTION_OF_METHODS (~0u << 16)

#define OPTION_NO_FIELD SIZE_MAX // of the command alone

struct option {
    const char *name; // "learning-rate": --learning-rate; svdiff.json and notes: learning_rate
    enum option_kind kind;
    unsigned flags;
    size_t field;             // its offset in the job's struct
    double standard;          // of numbers; of bools 0 or 1; of choices the value
    double low, high;         // of numbers
    const char *const *words; // of choices, NULL-terminated
    int first;                // the value of the first of them
    const char *text;         // of texts and files: the default
    const char *value;        // what the help calls its value; NULL: it has none
    const char *help; // {default} and {words} stand for these; of OPTION_HAS_NO two, "|" between
};

struct option_table {
    const char *job; // "learn": the object of svdiff.json
    size_t size;     // of the job's struct
    const struct option *rows;
    size_t n;
};

extern const struct option_table options_of_learn;    // struct svdiff_learn_options
extern const struct option_table options_of_generate; // struct svdiff_generate_options
extern const struct option_table options_of_edit;     // struct svdiff_edit_options
extern const struct option_table options_of_session;  // struct svdiff_options

/* The row of this name, which must exist. */
const struct option *option_find(const struct option_table *t, const char *name);

// "learning_rate"; owned by the caller
char *option_key(const struct option *o);
// "constant, linear or cosine"; owned by the caller
char *option_words(const struct option *o);
// the word of a choice's value; NULL: it has none
const char *option_word(const struct option *o, int value);
// the value of a choice's word; false: it is none
bool option_word_value(const struct option *o, const char *word, double *value);
/* The choice that says the method: the first row, where some are not of all methods. */
const struct option *option_method(const struct option_table *t);
/* Whether it is of the method that the options choose. */
bool option_of_method(const struct option_table *t, const struct option *o, const void *options);
// "svdiff or full": the methods that it is of; owned by the caller, NULL: all of them
char *option_methods(const struct option_table *t, const struct option *o);
/* Whether it has one of these flags, is not off where it can be, and is of the method. */
bool option_applies(const struct option_table *t, const struct option *o, const void *options,
                    unsigned flags);
// whether its value is a number, a switch or one of some words
bool option_is_number(const struct option *o);

/* The value of a number, a switch or a choice in a job's struct. */
double option_get(const struct option *o, const void *options);
void option_set(const struct option *o, void *options, double value);

/* The same, or a seed, as a text that reads the same everywhere; owned by the caller. */
char *option_text(const struct option *o, const void *options);

/* A number, a switch or a choice from its text. False with a sentence that names the option. */
bool option_parse(const struct option *o, const char *text, double *value, GError **error);

// the same of a seed
bool option_parse_seed(const struct option *o, const char *text, uint64_t *seed, GError **error);

/* Whether a number of pixels is in its range, whose low end is for a unit of 8, and divisible by
 * `unit`. False with a sentence that names the option. */
bool option_check_pixels(const struct option *o, int pixels, int unit, GError **error);

/* All of a table: sets the defaults; whether numbers are in their ranges, pixels apart;
 * "name=value" of those that count, one a line, owned by the caller. */
void options_set_standards(const struct option_table *t, void *options);
bool options_check(const struct option_table *t, const void *options, GError **error);
char *options_print(const struct option_table *t, const void *options, bool several);
