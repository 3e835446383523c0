/* dialog_estimate.h: what a run would take, told in the dialog before it starts.
 *
 * The worker counts it (svdiff learn --estimate), with what the fields say: soon after the dialog
 * opened, and again when they change. What would make the run fail is told in the same place. */
#pragma once

#include "plugin/dialog_fields.h"

struct dialog_estimate;

/* Of a run for the image and layers of `chosen` with the values v of the fields; all must stay. */
struct dialog_estimate *dialog_estimate_new(const struct call *chosen, values *v,
                                            const struct dialog_fields *fields);
void dialog_estimate_free(struct dialog_estimate *e); // the label belongs to its window

/* Where it is told. */
GtkWidget *dialog_estimate_widget(const struct dialog_estimate *e);

/* Has a function called with each new estimate, NULL when there is none: the run would fail. */
void dialog_estimate_watch(struct dialog_estimate *e,
                           void (*told)(void *user, const struct call_estimate *costs), void *user);

/* Begins to count whenever a field changes; of words only if what was told last is why a run would
 * fail. */
void dialog_estimate_begin(struct dialog_estimate *e);

/* Something else changed: counts again soon. */
void dialog_estimate_want(struct dialog_estimate *e);

/* Something else may have changed: counts again if what was told last is why a run would fail. */
void dialog_estimate_want_if_failed(struct dialog_estimate *e);

/* A run begins, which says more, or has ended: nothing is counted or seen meanwhile. */
void dialog_estimate_hold(struct dialog_estimate *e, bool running);

/* Something else is to be done: none is wanted any more, and one that runs ends early. */
void dialog_estimate_drop(struct dialog_estimate *e);
