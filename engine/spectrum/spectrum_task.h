/* spectrum_task.h: all spectra of a model computed into a file, while others go on.
 *
 * The weights come in the model's order, and each can be had as soon as it is there. */
#pragma once

#include "engine/spectrum/spectrum_file.h"
#include "engine/spectrum/spectrum_run.h"

struct spectrum_task;

/* Computes on these devices in threads of its own; options->threads says how many. source, options and devices are
 * borrowed, the writer is the task's from here on. Nothing but options->threads is asked of the options: what there
 * is to tell is told by those who wait. Free with spectrum_task_free. */
struct spectrum_task *spectrum_task_start(const struct spectrum_source *source,
                                          const struct spectrum_options *options,
                                          struct spectrum_devices devices,
                                          struct spectrum_writer *writer);

/* The same, done when it returns; options->progress is told. */
struct spectrum_task *spectrum_task_run(const struct spectrum_source *source,
                                        const struct spectrum_options *options,
                                        struct spectrum_devices devices,
                                        struct spectrum_writer *writer);

// ends it; what is not there by then is lost. NULL is allowed
void spectrum_task_free(struct spectrum_task *task);

/* Waits until the weight is there, or all of them where index is their number, or until nothing more
 * will come; options->progress is told meanwhile, false ends the task. */
void spectrum_task_wait(struct spectrum_task *task, size_t index);

/* The factors of a weight, each of which may be NULL. False without an error: it is not there. */
bool spectrum_task_get(struct spectrum_task *task, size_t index, float *u, float *s, float *vt,
                       GError **error);

/* Waits, and puts the file in its place. False with a sentence; true with one in *unkept where it is
 * the file alone that failed. */
bool spectrum_task_finish(struct spectrum_task *task, GError **unkept, GError **error);

// whether it has come to its end, so that finishing takes no time
bool spectrum_task_ended(struct spectrum_task *task);
