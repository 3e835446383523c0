/* dialog.h: the dialog of a procedure, made from its arguments; the same in both GIMPs. */
#pragma once

#include "plugin/call.h"

/* Shows the dialog with these values for the image and layers of `chosen` and runs the procedure as
 * often as the person asks for it; the values are what it says when it closes. Errors are sentences
 * in the dialog, which stays open for the next try. Returns whether something was made; result is
 * then that of the last successful run. Where the dialog is open already, that comes to the front
 * with the image and layers, with `insists` also with the values, and nothing was made. next:
 * receives the values of the procedure whose dialog the person wants to see now (values_free), or
 * NULL. */
bool dialog_run(const struct call *chosen, values *v, bool insists, struct call_result *result,
                values **next);
