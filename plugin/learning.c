/* Learning by a worker; see learning.h. The worker writes its samples beside the subject file,
 * where people keep their subjects: each is removed when it was shown. */
#include "plugin/learning.h"

#include "plugin/job.h"

#include <glib/gstdio.h>

#define SAMPLE_STEPS "100" // between two samples; one costs as much as about 15 to 30 steps

static bool on_progress(void *user, const struct call_progress *p)
{
    const struct call *c = user;
    const bool goes_on = c->progress(c->user, p);

    if (p->picture != NULL) {
        g_unlink(p->picture);
    }
    return goes_on;
}

bool learning_run(GPtrArray *arguments, const char *output, const scratch *folder,
                  const struct call *c, GError **error)
{
    struct call inner = *c;

    if (c->shows) {
        inner.progress = on_progress;
        inner.user = (void *)c;
        call_add_text(arguments, "--sample-every", SAMPLE_STEPS);
    }
    return job_run("learn", arguments, folder, &inner, NULL, error);
}
