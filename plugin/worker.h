/* worker.h: the process that does a job: a new one, or the one that stayed after the last job.
 *
 * A worker that was started here may stay for the next calls from this GIMP, with the model loaded;
 * it then waits on a socket that has the process number of GIMP in its name
 * (engine/command/stay.h). */
#pragma once

#include "plugin/scratch.h"

#include <gio/gio.h>
#include <stdbool.h>

typedef struct worker worker;

/* Has a job done: `svdiff COMMAND` with the arguments of a JSON file in the folder, where its
 * messages go to the file `messages`. anew: not by a worker that waits. NULL with a sentence. */
worker *worker_start(const char *command, const char *arguments, const scratch *folder, bool anew,
                     GError **error);
void worker_free(worker *w); // accepts NULL; the process goes on
G_DEFINE_AUTOPTR_CLEANUP_FUNC(worker, worker_free)

/* Whether it had waited for this job. */
bool worker_had_stayed(const worker *w);

/* What it tells; ends with the job. Borrowed. */
GInputStream *worker_output(const worker *w);

/* Closes its input: it ends the job and leaves. */
void worker_cancel(worker *w);

/* Tells it to stop: what it has so far is its result. */
void worker_stop(worker *w);

/* Ends the process by force. */
void worker_kill(worker *w);

/* Whether the process has left; needs the main context to be turned. */
bool worker_is_gone(const worker *w);

/* The signal that ended it, 0 if none did or it is not known. */
int worker_signal(const worker *w);
