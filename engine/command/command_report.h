/* command_report.h: what the command says while it works and when it is done.
 *
 * Standard output holds results, and with REPORT_JSON one object a line for each event. Standard
 * error holds what people read: a bar on a terminal, lines elsewhere, and in every style warnings
 * ("warning: ...") and the error, one line each. A warning or an error is an event too with
 * REPORT_JSON. Numbers do not depend on the locale; names that are not UTF-8 are mended in JSON;
 * control characters in a line for people become '?'. */
#pragma once

#include "engine/base/progress.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdint.h>
#include <stdio.h>

enum report_style {
    REPORT_AUTO,  // REPORT_BAR if standard error is a terminal that can, else REPORT_LINES
    REPORT_BAR,   // one line that is drawn again, at most ten times a second
    REPORT_LINES, // a line a phase, every ten seconds and at its end
    REPORT_JSON,  // one object a line: when a step is done and at least twice a second
};

struct report;

/* On standard output and standard error. quiet: only warnings, errors and results, and of the JSON
 * events warning, error and done. */
struct report *report_create(enum report_style style, bool quiet);
void report_free(struct report *r); // ends a line that is being drawn; accepts NULL

/* A step of work, or a sample or checkpoint that was written. */
void report_progress(struct report *r, const struct progress *p);

/* A remark for people on standard error: the seed that was chosen. Not with quiet. */
void report_note(struct report *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What does not stop the work, but has to be known. The same sentence is told once. */
void report_warning(struct report *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The one sentence at which the command ends. Event error. files (NULL-terminated, may be NULL or
 * none): what was written and stays all the same, as report_files tells it, `files` of the event.
 */
void report_error(struct report *r, const char *sentence, const char *const *files);

/* All is done: these files (NULL-terminated, may be none) were written. Event done, with `file`,
 * the first, and `files`, all of them; people read a line a file. */
void report_files(struct report *r, const char *const *files);

/* A result on standard output: one line of JSON, or, where the style is not REPORT_JSON and there
 * is a text, this text for people (its control characters become '?'). The object stays the caller's.
 * false with an error when standard output does not take it. */
bool report_result(struct report *r, JsonObject *result, const char *text, GError **error);

/* Keeps log messages of libraries (g_log, g_printerr) from standard error, for the whole process
 * and once only; what is fatal is still told. With G_MESSAGES_DEBUG in the environment nothing is
 * kept back. */
void report_silence_logs(void);

/* For tests: other streams, and another time (microseconds). columns: of the terminal. */
struct report *report_create_on(FILE *out, FILE *err, enum report_style style, bool quiet,
                                int columns);
void report_progress_at(struct report *r, const struct progress *p, int64_t now);
