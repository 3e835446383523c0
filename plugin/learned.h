/* learned.h: what a run of learning makes, by its values: a subject, or by another method what lies among the
 * adapters and embeddings that a person brings along (brought.h). */
#pragma once

#include "plugin/values.h"

/* The method: that of the dialog, or what the name begins with, "lora fox"; *name: what is left of that. Both
 * borrowed. */
const char *learned_method(const values *v, const char **name);

/* The file that is written: the one that is named, or one of the name in the method's folder. NULL with a sentence.
 * g_free it. */
char *learned_file(const values *v, GError **error);

/* What it is called in a list of subjects: "fox", "lora fox". g_free it. */
char *learned_part(const values *v);
