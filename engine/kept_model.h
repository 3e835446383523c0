/* kept_model.h: the model that a worker which stays keeps between its jobs (stay.h).
 *
 * In every other process opening and closing are svdiff_open and svdiff_close. */
#pragma once

#include "engine/svdiff.h"

/* The model that the options ask for: the one that was kept, if it is of the same files and device,
 * and nobody has changed the files since; else a newly opened one. NULL with an error. */
svdiff *kept_model_open(const struct svdiff_options *options, GError **error);

/* Keeps it, or closes it; accepts NULL. */
void kept_model_close(svdiff *s);

/* From now on one model is kept. */
void kept_model_enable(void);
bool kept_model_any(void);
void kept_model_drop(void);

/* Whether a command of this name takes the kept model; others are better off with its memory. */
bool kept_model_is_for(const char *command);
