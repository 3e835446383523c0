/* job.h: one run of the command `svdiff` in a worker process (worker.h).
 *
 * The worker reads its arguments from a file, so that prompts do not show in the list of processes,
 * and tells, one JSON object a line, where it is. It leaves by itself when its input is closed:
 * when this process cancels, and also when it is killed. */
#pragma once

#include "plugin/call.h"
#include "plugin/scratch.h"

#include <glib.h>
#include <stdbool.h>

/* Runs `svdiff COMMAND` with the arguments (strings, not NULL-terminated) and waits for its end,
 * while the main context goes on. c->progress is told, and can cancel: the worker is then gone
 * within a second; or stop it if it learns: it then writes what it learned, and the error is
 * SVDIFF_ERROR_CANCELLED with its sentence. files: receives the files that were written
 * (g_strfreev), may be NULL. Where c->estimate is given, that is asked for and nothing else. false
 * with a sentence: the worker's own, or what became of it. */
bool job_run(const char *command, GPtrArray *arguments, const scratch *folder, const struct call *c,
             char ***files, GError **error);
