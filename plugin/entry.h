/* entry.h: a procedure as a GIMP calls it: in one of its three modes. */
#pragma once

#include "plugin/call.h"

// the numbers are those of both GIMPs
enum entry_mode { ENTRY_INTERACTIVE, ENTRY_NONINTERACTIVE, ENTRY_WITH_LAST_VALUES };

/* Runs the procedure of the values for the image and layers of `chosen`. Interactive: asks with the
 * dialog, which begins with the last values and keeps its own for the next time. With last values:
 * those instead of the given ones. false with a sentence (SVDIFF_ERROR), CANCELLED when the dialog
 * was closed without a result. */
bool entry_run(enum entry_mode mode, const struct call *chosen, values *v,
               struct call_result *result, GError **error);
