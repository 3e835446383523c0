/* How well several subjects stay apart: the model draws pictures of two of them, and the attention
 * of all their steps says where the words of each acted.
 *
 *   own     (sum over x of R_i A_i) / (sum over x of A_i), R_i = the region of subject i
 *   others  the same with the region of the other one
 *
 * A_i as in the unmix loss (attention_guide.h), averaged over its layers and over all steps. */
#include "engine/learn/mixing/learn_choice.h"
#include "engine/learn/run/learn_drawing.h"
#include "engine/learn/run/learn_run.h"
#include "engine/picture/seam.h"

#include <string.h>

struct apart {
    const struct lesson *lesson;
    const struct learner *learner;
    struct learn_batch *batch; // the rows that drawing has, the last one with the prompt
    struct learn_unmix *unmix;
    int *pictures; // [n_subjects]: that showed it
    double *own, *others;
    double seam, surroundings;
    int seams;
};

// false, also without an error: there is nothing to measure in
static bool apart_open(struct apart *a, const struct learn_run *r, GError **error)
{
    const struct lesson *l = r->lesson;
    const struct learner *learner = r->learner;
    const int rows = learn_drawing_rows(l), n = lesson_subjects(l);
    const struct learn_pictures *p = l->pictures;
    const struct conditioner *text = learner->conditioner;

    *a = (struct apart){.lesson = l,
                        .learner = learner,
                        .batch =
                            learn_batch_create(rows, rows, p->h, p->w, p->c,
                                               conditioner_tokens(text), conditioner_width(text)),
                        .pictures = g_new0(int, n),
                        .own = g_new0(double, n),
                        .others = g_new0(double, n)};
    learn_batch_set_slots(a->batch, 2);
    a->batch->shown[rows - 1] = 2;
    // nothing is learned here: the maps are looked at and weigh nothing
    if (!learn_unmix_create(l->session->k, a->batch, learner->unet, l->options, 0, &a->unmix,
                            error) ||
        a->unmix == NULL) {
        return false;
    }
    const struct unmix *u = &a->unmix->plan;
    a->unmix->plan.seen = g_new0(double, (size_t)u->layers * u->n * u->slots * u->places);
    return true;
}

static void apart_close(struct apart *a)
{
    if (a->unmix != NULL) {
        g_free(a->unmix->plan.seen);
    }
    learn_unmix_free(a->unmix);
    learn_batch_free(a->batch);
    g_free(a->pictures);
    g_free(a->own);
    g_free(a->others);
}

/* ---- one picture ---- */

// the share of what subject `which` of the picture saw that lies in the region of `whose`
static double share_in(const struct apart *a, int which, int whose)
{
    const struct unmix *u = &a->unmix->plan;
    // the last row is the one with the prompt, whose attention counts
    const int row = (u->n - 1) * u->slots;
    // of two, the largest region of the others is that of the other one
    const float *region = a->unmix->others + (size_t)(row + 1 - whose) * u->places;
    double inside = 0, all = 0;

    for (int layer = 0; layer < u->layers; layer++) {
        const double *seen = u->seen + ((size_t)layer * u->n * u->slots + row + which) * u->places;
        for (int x = 0; x < u->places; x++) {
            inside += region[x] * seen[x];
            all += seen[x];
        }
    }
    return all > 0 ? inside / all : 0;
}

static bool measure(struct apart *a, const struct learn_choice *c, const float *latents,
                    GError **error)
{
    for (int i = 0; i < 2; i++) {
        const int subject = c->subjects[i];
        a->own[subject] += share_in(a, i, i);
        a->others[subject] += share_in(a, i, 1 - i);
        a->pictures[subject]++;
    }
    if (layout_is_drawn(c->layout)) {
        return true;
    }
    // where two halves meet there may be a seam
    g_autoptr(picture) p = learn_drawing_decode(a->lesson, latents, error);
    if (p != NULL) {
        seam_add(p, &a->seam, &a->surroundings);
        a->seams++;
    }
    return p != NULL;
}

// regions and words of the picture, and what its prompt becomes
static bool prepare(struct apart *a, const struct learn_choice *c, struct conditioning *text,
                    GError **error)
{
    const struct learn_batch *b = a->batch;
    const struct unmix *u = &a->unmix->plan;
    const size_t row = (size_t)(b->n - 1) * b->slots;
    g_autofree char *prompt = lesson_prompt(a->lesson, c, false);
    g_autofree int32_t *ids = conditioner_ids(a->learner->conditioner, prompt, error);

    if (ids == NULL) {
        return false;
    }
    lesson_mixed_regions(a->lesson, c, b->regions + row * b->h * b->w);
    lesson_mark_words(a->lesson, c, ids, b->tokens, b->own + row * b->tokens);
    memset(u->seen, 0, (size_t)u->layers * u->n * u->slots * u->places * sizeof *u->seen);
    if (!learn_unmix_fill(a->unmix, error)) {
        return false;
    }
    learn_unmix_upload(a->unmix);
    return conditioner_encode(a->learner->conditioner, ids, 1, text, error);
}

static bool one_picture(struct apart *a, int number, GError **error)
{
    const int n = lesson_subjects(a->lesson);
    const struct learn_batch *b = a->batch;
    const struct learn_drawing drawing = {
        .lesson = a->lesson, .learner = a->learner, .guide = &a->unmix->guide, .phase = "apart"};
    const uint64_t seed = a->lesson->options->seed + (uint64_t)number;
    g_autofree float *latents = g_new(float, (size_t)b->h * b->w * b->c);
    struct conditioning text = {0};
    struct learn_choice c;

    // every subject comes as often as first as second
    lesson_choose_pair(a->lesson, number % n, (number + 1) % n, &c);
    const bool done = prepare(a, &c, &text, error) &&
                      learn_drawing_run(&drawing, &text, seed, 1, latents, error) &&
                      measure(a, &c, latents, error);
    conditioning_clear(&text);
    return done;
}

/* ---- all of them ---- */

static void tell(const struct apart *a, int pictures)
{
    const int n = lesson_subjects(a->lesson);

    for (int i = 0; i < n; i++) {
        // from sums to means; a subject that came in no picture has 0
        a->own[i] /= MAX(1, a->pictures[i]);
        a->others[i] /= MAX(1, a->pictures[i]);
    }
    const struct svdiff_apart result = {
        .pictures = pictures,
        .n_subjects = n,
        .own = a->own,
        .others = a->others,
        .seam = a->seams > 0 && a->surroundings > 0 ? a->seam / a->surroundings : -1};
    a->lesson->options->apart(a->lesson->user, &result);
}

bool learn_apart(struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const int subjects = lesson_subjects(r->lesson), pictures = MAX(o->apart_pictures, subjects);
    g_autoptr(GError) problem = NULL;
    struct apart a;

    if (subjects < 2 || o->apart == NULL || o->apart_pictures == 0) {
        return true;
    }
    // drawing has a tape of its own, and learning is over
    g_clear_pointer(&r->tape, tape_free);
    bool done = apart_open(&a, r, &problem);
    for (int i = 0; i < pictures && done; i++) {
        done = one_picture(&a, i, &problem);
    }
    if (done) {
        tell(&a, pictures);
    }
    apart_close(&a);
    // the subject is written: who does not want to wait for this has it
    if (problem == NULL || g_error_matches(problem, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
