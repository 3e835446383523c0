/* learning.h: a run of `svdiff learn` with what is around it: pictures on the way, stopping. */
#pragma once

#include "plugin/call.h"
#include "plugin/scratch.h"

/* Runs `svdiff learn` with the arguments, which write the subject file output. Where pictures on
 * the way are wanted, samples of what was learned so far are among them, and are removed after they
 * were shown. A run that was stopped is done when it has written the file. false with a sentence.
 */
bool learning_run(GPtrArray *arguments, const char *output, const scratch *folder,
                  const struct call *c, GError **error);
