/* values.h: the values of one procedure's arguments. */
#pragma once

#include "plugin/procedures.h"

#include <glib.h>

struct value {
    double number; // of whole numbers, numbers and channels (an id)
    char *text;    // of texts, choices and files, never NULL; owned
};

struct values {
    const struct procedure *procedure;
    struct value *items; // in the order of the procedure's arguments
};
typedef struct values values;

/* The defaults of a procedure. values_free. */
values *values_create(const struct procedure *p);
values *values_copy(const values *v);
void values_assign(values *v, const values *from); // of the same procedure
void values_free(values *v);                       // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(values, values_free)

/* By name of the argument, which must exist. */
double values_number(const values *v, const char *name);
int values_int(const values *v, const char *name);
const char *values_text(const values *v, const char *name);

/* Whether the procedure has this argument. */
bool values_has(const values *v, const char *name);

/* The same, to be set. */
void values_put(values *v, const char *name, const char *text);

/* By position. NULL is "". */
void values_set_number(values *v, size_t index, double number);
void values_set_text(values *v, size_t index, const char *text);

/* Takes what comes from elsewhere, if the argument allows it; channels are not taken: their ids
 * mean nothing in another image. */
void values_take_number(values *v, size_t index, double number);
void values_take_text(values *v, size_t index, const char *text);

/* Whether the argument's value is a text: of texts, choices and files. */
bool argument_is_text(const struct argument *p);

/* Whether every value is one that its argument allows; an empty choice becomes the default. false
 * with an SVDIFF_ERROR_USAGE sentence that names the argument and what it can be. */
bool values_check(values *v, GError **error);

/* The file of the last values, and of what else is kept there in groups of its own; an empty one
 * where there is none yet. g_key_file_unref it. */
GKeyFile *values_file(const char *path);

/* Reads what values_store wrote into the file path; what is missing or not allowed stays as it is.
 * Channels are not kept: their ids mean nothing in another image. */
void values_load(values *v, const char *path);

/* Keeps the values for the next time, beside those of other procedures in the same file. */
bool values_store(const values *v, const char *path, GError **error);
