/* Counting a run; see learn_count.h. */
#include "engine/learn/learn_count.h"

#include "engine/base/machine.h"
#include "engine/session/dry_session.h"

bool learn_count_step(struct learn_run *r, double *operations, GError **error)
{
    const kernels *k = r->learner->session->k;
    const double before = kernels_counted_operations(k);

    // every step has the same shapes, so the first one tells of all
    learn_draw(r->lesson, 0, r->batch);
    if (!learn_prior_targets(r, error)) {
        return false;
    }
    learn_run_batch(r, r->unmix != NULL ? &r->unmix->guide : NULL);
    *operations = kernels_counted_operations(k) - before;
    return true;
}

bool learn_count_least(struct learn_run *r, uint64_t *bytes, GError **error)
{
    kernels *k = r->learner->session->k;

    // the peak of a run that keeps its segments is not to be counted
    g_clear_pointer(&r->tape, tape_free);
    kernels_reset_peak(k);
    const bool done = learn_run_replay(r, true, error);
    *bytes = kernels_peak_bytes(k);
    return done;
}

static bool count_least(svdiff *dry, const struct lesson *l, uint64_t *bytes, GError **error)
{
    struct lesson quiet = *l; // who waits is told of the run alone, not of its counting
    g_autoptr(owned_learner) learner = learner_open(dry, error);

    quiet.progress = NULL;
    if (learner == NULL || !learner_attach(learner, &quiet, error)) {
        return false;
    }
    g_autoptr(learn_run) r = learn_run_create(&quiet, g_steal_pointer(&learner), error);
    return r != NULL && learn_prior_targets(r, error) && learn_count_least(r, bytes, error);
}

bool learn_check_memory(const struct lesson *l, GError **error)
{
    svdiff dry = dry_session(l->session);
    uint64_t bytes = 0;
    const bool done = count_least(&dry, l, &bytes, error);

    dry_session_finish(&dry);
    // a device with memory of its own says when it is full; the host grants more than it has
    return done && (!l->session->k->host_memory ||
                    machine_check_memory(bytes + dry_session_host_bytes(l->session), error));
}
