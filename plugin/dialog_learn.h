/* dialog_learn.h: what the dialog of learning asks and shows besides its fields: what the subject
 * is, in a word, from which its name and prompt follow; what marks it, and the squares that will be
 * learned; and afterwards what was learned. */
#pragma once

#include "plugin/dialog_estimate.h"
#include "plugin/dialog_fields.h"
#include "plugin/dialog_target.h"

struct dialog_learn;

/* Adds itself to the fields of the procedure that learns, and shows what the estimate tells, which
 * it wants again when what marks the subject is another; all of them must stay. */
struct dialog_learn *dialog_learn_new(struct dialog_target *target, struct dialog_fields *fields,
                                      struct dialog_estimate *estimate);
void dialog_learn_free(struct dialog_learn *l); // accepts NULL

/* Begins again with what the layer's name says. */
void dialog_learn_reset(struct dialog_learn *l);

/* Whether it is said what the subject is; if not, the sentence that asks for it, and the keys go
 * there. */
const char *dialog_learn_missing(struct dialog_learn *l);

/* What was learned with these values, for people. g_free it. */
char *dialog_learn_describe(const values *v, bool stopped);

/* The values of the procedure that paints it. values_free. */
values *dialog_learn_painting(const values *learned);
