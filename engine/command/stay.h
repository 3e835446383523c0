/* stay.h: a worker that stays after its job, with the model loaded, for the next one.
 *
 *   svdiff stay SOCKET PID COMMAND --worker --json --arguments FILE
 *
 * does the command as if it had been called without the first three words. When it went well and a
 * model was kept (kept_model.h), the process closes its standard streams, listens on SOCKET, in a
 * private folder, and waits for another job: some minutes (kept_model_patience), and no longer than the process PID
 * lives. A job is a connection of the same user that sends two lines, COMMAND and FILE; the
 * connection is then the command's standard input and output, so that events come back on it and
 * its end cancels. Messages go to the file `messages` beside FILE. While it works the worker does
 * not listen: who comes then starts another one. After a job that failed or was cancelled the
 * worker leaves. */
#pragma once

#include "engine/command/caller.h"

#include <sys/types.h>

/* Does the job in argv [argc], gives the exit code. */
typedef int (*stay_job)(const struct caller *caller, int argc, char **argv);

/* Runs the job in argv [argc] with `run` and stays. Returns the exit code of the last job. owner:
 * the process PID above. stop: what asks to leave; it is handed on to the jobs. */
int stay_run(const char *socket, pid_t owner, stay_job run, interruption *stop, int argc,
             char **argv);
