/* The micro-batches of a step over one or several processes; see learn_share.h. */
#include "engine/learn/run/learn_share.h"

#include "engine/base/error.h"
#include "engine/group/group.h"
#include "engine/options/option.h"
#include "engine/spectrum/model_spectrum.h"
#include "engine/tape/transfer.h"

#include <string.h>

// how one micro-batch of a process ended
struct outcome {
    struct learn_losses losses;
    int32_t failed, cancelled;
};

// what rank 0 tells after a step; the values of the shifts follow it
struct word {
    double scale; // of the next step's loss
    int32_t step, failed, cancelled;
};

/* group: NULL where the process is alone. Then all below is NULL, as the arrays of floats are that
 * a process has no use for. */
struct learn_share {
    svdiff_group *group;
    struct outcome *outcomes; // [size]
    float *gradient;          // [count]: this process's
    float *gradients;         // [size, count]: rank 0's
    float *values;            // [count]
};

/* One process tells why a group ends: the one to which it happened, else the one that leads. Always
 * false. */
static bool all_end(svdiff_group *g, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool all_end(svdiff_group *g, GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error != NULL) {
        *error = g_error_new_valist(SVDIFF_ERROR, SVDIFF_ERROR_FAILED, format, arguments);
    }
    va_end(arguments);
    g->told = g->rank > 0;
    return false;
}

static bool other_failed(svdiff_group *g, int other, GError **error)
{
    g->other = true;
    return all_end(g, error, "Process %d of %d failed, and all end with it.", other + 1, g->size);
}

/* ---- before a run ---- */

bool learn_share_options(struct svdiff_learn_options *o, GError **error)
{
    svdiff_group *g = o->group;

    if (g == NULL) {
        return true;
    }
    if (o->trace != NULL) {
        return error_usage(error, "--trace is of one process and one device; leave it out, or "
                                  "take one.");
    }
    const struct option *accumulate = option_find(&options_of_learn, "accumulate");
    if ((double)o->accumulate * g->size > accumulate->high) {
        return error_usage(error,
                           "--accumulate %d in each of %d processes or devices is too much: %d at "
                           "most.",
                           o->accumulate, g->size, (int)accumulate->high / g->size);
    }
    o->accumulate *= g->size;
    g->broadcast(g, &o->seed, sizeof o->seed);
    return true;
}

bool learn_share_spectra(const struct lesson *l, GError **error)
{
    svdiff_group *g = l->options->group;
    int32_t good = 1;

    if (g == NULL) {
        return true;
    }
    g_autofree int32_t *all = g_new0(int32_t, g->size);
    if (g->local_first) {
        // into the cache, where those that wait find it
        g_autoptr(model_spectrum) m =
            model_spectrum_open(l->session, &l->adapters, l->progress, l->user, error);
        good = m != NULL;
    }
    g->everyone(g, &good, all, sizeof good);
    for (int i = 0; i < g->size && good; i++) {
        if (!all[i]) {
            return other_failed(g, i, error);
        }
    }
    return good;
}

bool learn_share_agree(const struct learn_run *r, GError **error)
{
    svdiff_group *g = r->lesson->options->group;

    if (g == NULL) {
        return true;
    }
    g_autofree char *print = learn_print(r->lesson, false);
    // as long everywhere, whatever it says
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, print, -1);
    const size_t bytes = strlen(sum) + 1;
    g_autofree char *all = g_malloc0(bytes * g->size);
    g->everyone(g, sum, all, bytes);
    for (int i = 1; i < g->size; i++) {
        if (strcmp(all + i * bytes, all) != 0) {
            return all_end(g, error,
                           "Process %d of %d has another model, precision, prompts or options "
                           "than the first; start all with the same ones, and --precision f32 "
                           "where their processors differ.",
                           i + 1, g->size);
        }
    }
    return true;
}

// of the run that waits: whether it goes on
static bool patient(void *user)
{
    struct learn_run *r = user;

    r->cancelled = r->cancelled || !learn_run_tell(r, PROGRESS_STEP, -1, NULL);
    return !r->cancelled;
}

static void create_messages(struct learn_share *s, struct learn_run *r)
{
    const int64_t count = r->learner->parameters->count;

    s->outcomes = g_new0(struct outcome, s->group->size);
    s->gradient = g_new0(float, count);
    s->values = g_new0(float, count);
    if (s->group->rank == 0) {
        s->gradients = g_new0(float, s->group->size *count);
        // the others have nothing that could be lost
        s->group->patience = patient;
        s->group->user = r;
    }
}

struct learn_share *learn_share_create(struct learn_run *r, GError **error)
{
    struct learn_share *s = g_new0(struct learn_share, 1);

    s->group = r->lesson->options->group;
    if (s->group != NULL) {
        create_messages(s, r);
    }
    // one micro-batch's gradient is its own sum
    if (r->lesson->options->accumulate > 1 &&
        !parameters_keep_total(r->learner->parameters, error)) {
        g_clear_pointer(&s, learn_share_free);
    }
    return s;
}

void learn_share_free(struct learn_share *s)
{
    if (s == NULL) {
        return;
    }
    if (s->group != NULL) {
        s->group->patience = NULL;
    }
    g_free(s->outcomes);
    g_free(s->gradient);
    g_free(s->gradients);
    g_free(s->values);
    g_free(s);
}

int learn_share_size(const struct learn_run *r)
{
    return r->share->group != NULL ? r->share->group->size : 1;
}

int learn_share_rank(const struct learn_run *r)
{
    return r->share->group != NULL ? r->share->group->rank : 0;
}

bool learn_share_leads(const struct learn_run *r)
{
    return learn_share_rank(r) == 0;
}

/* ---- a step ---- */

void learn_share_begin(struct learn_run *r)
{
    if (r->learner->parameters->total != NULL) {
        parameters_zero_total(r->learner->parameters);
    }
}

static void add_losses(struct learn_losses *sums, const struct learn_losses *one)
{
    sums->instance += one->instance;
    sums->prior += one->prior;
}

/* How it went everywhere: all processes see the same, and go on or end together. *sums grows by the
 * losses. */
static bool judge(struct learn_run *r, bool good, struct learn_losses *sums, GError **error)
{
    const struct learn_share *s = r->share;

    for (int i = 0; i < s->group->size; i++) {
        const struct outcome *one = &s->outcomes[i];
        add_losses(sums, &one->losses);
        r->cancelled = r->cancelled || one->cancelled;
        if (good && one->failed) {
            return other_failed(s->group, i, error);
        }
    }
    return good;
}

// rank 0: the gradients that came, each on the device before it is added
static void add_gradients(struct learn_run *r)
{
    struct parameters *p = r->learner->parameters;
    const struct learn_share *s = r->share;

    for (int i = 0; i < s->group->size; i++) {
        parameters_upload(p, p->gradient, s->gradients + i * p->count);
        parameters_add_gradient(p);
    }
}

static bool add_group(struct learn_run *r, bool good, const struct learn_losses *losses,
                      struct learn_losses *sums, GError **error)
{
    struct learn_share *s = r->share;
    struct parameters *p = r->learner->parameters;

    // before the others hear of it
    good = good && transfer_sync(r->lesson->session->k, error);
    const struct outcome mine = {.losses = *losses, .failed = !good, .cancelled = r->cancelled};

    if (!s->group->everyone(s->group, &mine, s->outcomes, sizeof mine)) {
        r->cancelled = true;
        return good;
    }
    if (!judge(r, good, sums, error)) {
        return false;
    }
    if (r->cancelled) {
        return true;
    }
    parameters_download(p, p->gradient, s->gradient);
    if (!s->group->gather(s->group, s->gradient, s->gradients, (size_t)p->count * sizeof(float))) {
        r->cancelled = true;
    } else if (s->group->rank == 0) {
        add_gradients(r);
    }
    return true;
}

bool learn_share_add(struct learn_run *r, bool good, const struct learn_losses *losses,
                     struct learn_losses *sums, GError **error)
{
    struct parameters *p = r->learner->parameters;

    if (r->share->group != NULL) {
        return add_group(r, good, losses, sums, error);
    }
    add_losses(sums, losses);
    if (good && !r->cancelled && p->total != NULL) {
        parameters_add_gradient(p);
    }
    return good;
}

void learn_share_end(struct learn_run *r)
{
    if (r->learner->parameters->total != NULL) {
        parameters_take_total(r->learner->parameters);
    }
}

/* ---- after a step ---- */

bool learn_share_follow(struct learn_run *r, bool good, GError **error)
{
    struct learn_share *s = r->share;
    struct parameters *p = r->learner->parameters;
    struct word word = {
        .scale = r->scale.value, .step = r->step, .failed = !good, .cancelled = r->cancelled};

    if (s->group == NULL) {
        return good;
    }
    if (s->group->rank == 0) {
        parameters_download(p, p->value, s->values);
    }
    if (!s->group->broadcast(s->group, &word, sizeof word) ||
        !s->group->broadcast(s->group, s->values, (size_t)p->count * sizeof(float))) {
        r->cancelled = true;
        return good;
    }
    r->step = word.step;
    r->scale.value = word.scale;
    r->cancelled = r->cancelled || word.cancelled;
    if (s->group->rank > 0) {
        parameters_upload(p, p->value, s->values);
        learner_follow(r->learner);
    }
    return good && (!word.failed || other_failed(s->group, 0, error));
}
