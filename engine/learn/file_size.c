/* The size of the file that a run of learning makes, told before it starts: the weights get what learns of
 * them on a device that computes nothing (dry_session.h), and the method says what it would write. */
#include "engine/learn/methods/method.h"

#include "engine/session/dry_session.h"
#include "engine/spectrum/model_spectrum.h"

#include <string.h>

// as long as the true ones, which are not computed for this
static void make_hashes(svdiff *dry)
{
    memset(dry->hashes.base, '0', sizeof dry->hashes.base - 1);
}

bool svdiff_estimate_file(svdiff *s, const struct svdiff_learn_options *options, uint64_t *bytes,
                          GError **error)
{
    g_auto(dry_svdiff) dry = dry_session(s);

    make_hashes(&dry);
    g_autoptr(owned_lesson) l = lesson_create(&dry, options, NULL, NULL, error);
    g_autoptr(owned_learner) learner = l != NULL ? learner_open(&dry, l, error) : NULL;
    g_autoptr(model_spectrum) spectrum =
        learner != NULL ? model_spectrum_open(&dry, NULL, NULL, NULL, error) : NULL;
    if (spectrum == NULL || !learner_attach(learner, l, spectrum, error)) {
        return false;
    }
    const struct method_result r = {.lesson = l, .learner = learner, .steps = options->steps};
    *bytes = method_of(options)->measure(&r);
    return true;
}
