/* Learning by a worker; see learning.h. The worker writes its samples beside the subject file,
 * where people keep their subjects: each is removed when it was shown. */
#include "plugin/learning.h"

#include "plugin/job.h"

#include "engine/svdiff.h"

#include <glib/gstdio.h>

#define SAMPLE_STEPS "100" // between two samples; one costs as much as about 15 to 30 steps

struct learning {
    const struct call *call;
    enum call_wish wish; // the last one
};

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    struct learning *l = user;

    l->wish = l->call->progress(l->call->user, p);
    if (p->picture != NULL) {
        g_unlink(p->picture);
    }
    return l->wish;
}

// a file that is written whole is another one, under the name of the old
static guint64 file_number(const char *path)
{
    GStatBuf status;

    return g_stat(path, &status) == 0 ? (guint64)status.st_ino : 0;
}

// what will be learned comes as a picture
static bool estimate(GPtrArray *arguments, const scratch *folder, const struct call *c,
                     GError **error)
{
    g_autofree char *squares = scratch_file(folder, "squares.png");

    call_add_text(arguments, "--squares", squares);
    const bool done = job_run("learn", arguments, folder, c, NULL, error);
    if (done) {
        c->estimate->squares = gdk_pixbuf_new_from_file(squares, NULL);
    }
    return done;
}

bool learning_run(GPtrArray *arguments, const char *output, const scratch *folder,
                  const struct call *c, GError **error)
{
    struct learning l = {.call = c};
    struct call inner = *c;
    const guint64 before = file_number(output);
    GError *problem = NULL;

    inner.progress = on_progress;
    inner.user = &l;
    // no samples: nothing is written beside the subject
    if (c->estimate != NULL) {
        return estimate(arguments, folder, &inner, error);
    }
    if (c->shows) {
        call_add_text(arguments, "--sample-every", SAMPLE_STEPS);
    }
    if (job_run("learn", arguments, folder, &inner, NULL, &problem)) {
        return true;
    }
    // the worker says cancelled of a stop, too: it worked if the file is another one
    if (l.wish == CALL_STOP && g_error_matches(problem, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED) &&
        file_number(output) != before) {
        g_clear_error(&problem);
        return true;
    }
    g_propagate_error(error, problem);
    return false;
}
