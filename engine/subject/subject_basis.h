/* subject_basis.h: what the subjects' weights were when they were learned: the model's own, or these
 * with adapters in them, whose singular vectors their shifts are of. Subject files name the adapters
 * (adapter_list_text) under SUBJECT_KEY_ADAPTERS. */
#pragma once

#include "engine/subject/bake.h"

/* The adapters, among `given` (NULL: where none can be given), that all of the subjects were learned on; none for
 * the model alone. Its items are borrowed, the array of them is the caller's (g_free). False with a sentence that
 * names the subject and what it needs, unless `force`, which takes what is not there for none. */
bool subject_basis(const struct bake_subject *subjects, int n_subjects,
                   const struct adapter_list *given, bool force, struct adapter_list *basis,
                   GError **error);
