/* kept_model.h: the model that a worker which stays keeps between its jobs (stay.h).
 *
 * In every other process opening and closing are svdiff_open and svdiff_close. */
#pragma once

#include "engine/svdiff.h"

struct kept_model {
    svdiff *session; // NULL: none yet
    char *stamp;     // what it was opened from
};

/* The model that the options ask for: the one that was kept, if it is of the same files and device,
 * and nobody has changed the files since; else a newly opened one, which is kept then. kept NULL:
 * nothing is kept. NULL with an error. */
svdiff *kept_model_open(struct kept_model *kept, const struct svdiff_options *options,
                        GError **error);

/* Closes it, unless it is kept; accepts NULL. */
void kept_model_close(const struct kept_model *kept, svdiff *s);

/* Milliseconds for which it is worth keeping without a job: of a device's own memory, which others want, a minute,
 * in which the next call comes if it does; of the machine's, which it can take back, some. */
int kept_model_patience(const struct kept_model *kept);

bool kept_model_any(const struct kept_model *kept);
void kept_model_drop(struct kept_model *kept);

/* Whether a command of this name takes the kept model; others are better off with its memory. */
bool kept_model_is_for(const char *command);
