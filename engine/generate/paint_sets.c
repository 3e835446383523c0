/* Sets of subjects, each with a model of its own; see paint_sets.h. */
#include "engine/generate/paint_sets.h"

#include <string.h>

// less than this of all places is none
#define NOTHING 1e-6f

/* ---- which sets ---- */

// all subjects that some region has for itself
static uint64_t confined(const struct svdiff_generate_options *o)
{
    uint64_t all = 0;

    for (int i = 0; i < o->n_regions; i++) {
        all |= o->regions[i].subjects;
    }
    return all;
}

// the weight of a set before it is shared out: the sum of its regions' masks, at most 1
static void add_masks(const struct svdiff_generate_options *o, const struct regions *r,
                      uint64_t subjects, float *weight)
{
    const size_t places = (size_t)r->list.h * r->list.w;

    for (int i = 0; i < o->n_regions; i++) {
        for (size_t x = 0; x < places && o->regions[i].subjects == subjects; x++) {
            weight[x] = MIN(1, weight[x] + r->masks[i * places + x]);
        }
    }
}

static void add_set(GArray *sets, const struct svdiff_generate_options *o, const struct regions *r,
                    uint64_t subjects)
{
    const uint64_t elsewhere = confined(o) & ~subjects;
    struct paint_set set = {.subjects = g_new0(struct svdiff_scaled_subject, o->n_subjects + 1),
                            .weight = g_new0(float, (size_t)r->list.h * r->list.w)};

    for (int i = 0; i < o->n_subjects; i++) {
        if (i >= 64 || !(elsewhere & (UINT64_C(1) << i))) {
            set.subjects[set.n_subjects++] = o->subjects[i];
        }
    }
    if (subjects != 0) {
        add_masks(o, r, subjects, set.weight);
    }
    g_array_append_val(sets, set);
}

// set 0, then one for each choice of subjects that regions make
static GArray *find_sets(const struct svdiff_generate_options *o, const struct regions *r)
{
    GArray *sets = g_array_new(FALSE, FALSE, sizeof(struct paint_set));

    add_set(sets, o, r, 0);
    for (int i = 0; i < o->n_regions; i++) {
        bool found = o->regions[i].subjects == 0;
        for (int j = 0; j < i && !found; j++) {
            found = o->regions[j].subjects == o->regions[i].subjects;
        }
        if (!found) {
            add_set(sets, o, r, o->regions[i].subjects);
        }
    }
    return sets;
}

/* ---- weights ---- */

static void share_out(GArray *sets, size_t places)
{
    for (size_t x = 0; x < places; x++) {
        float sum = 0;
        for (guint i = 1; i < sets->len; i++) {
            sum += g_array_index(sets, struct paint_set, i).weight[x];
        }
        for (guint i = 1; i < sets->len && sum > 1; i++) {
            g_array_index(sets, struct paint_set, i).weight[x] /= sum;
        }
        g_array_index(sets, struct paint_set, 0).weight[x] = MAX(0, 1 - sum);
    }
}

static void finish_set(struct paint_set *s)
{
    if (s->painter.session != NULL) {
        painter_finish(&s->painter);
    }
    g_free(s->subjects);
    g_free(s->weight);
    conditioning_clear(&s->text);
}

static void drop_unused(GArray *sets, size_t places)
{
    for (guint i = sets->len; i > 0; i--) {
        struct paint_set *s = &g_array_index(sets, struct paint_set, i - 1);
        float most = 0;
        for (size_t x = 0; x < places; x++) {
            most = MAX(most, s->weight[x]);
        }
        if (most < NOTHING) {
            finish_set(s);
            g_array_remove_index(sets, i - 1);
        }
    }
}

/* ---- opening ---- */

bool paint_sets_open(struct paint_sets *p, const struct painter *painter,
                     const struct svdiff_generate_options *options, const struct regions *regions,
                     GError **error)
{
    const size_t places = (size_t)regions->list.h * regions->list.w;
    GArray *sets = find_sets(options, regions);

    share_out(sets, places);
    drop_unused(sets, places);
    p->n = (int)sets->len;
    p->sets = (struct paint_set *)g_array_free(sets, FALSE);
    if (p->n == 1) {
        g_clear_pointer(&p->sets[0].weight, g_free);
    }
    for (int i = 0; i < p->n; i++) {
        struct paint_set *s = &p->sets[i];
        s->painter = *painter;
        if (!painter_open(&s->painter, s->subjects, s->n_subjects, options->force, error)) {
            return false;
        }
    }
    return session_check_unets(painter->session, p->n, error);
}

void paint_sets_close(struct paint_sets *p)
{
    for (int i = 0; i < p->n; i++) {
        finish_set(&p->sets[i]);
    }
    g_free(p->sets);
    g_free(p->parts);
    *p = (struct paint_sets){0};
}

bool paint_sets_embed(struct paint_sets *p, const struct svdiff_generate_options *options,
                      GError **error)
{
    for (int i = 0; i < p->n; i++) {
        struct paint_set *s = &p->sets[i];
        if (!regions_embed(&s->painter, options->negative, options->prompt, options->regions,
                           options->n_regions, &s->text, error)) {
            return false;
        }
    }
    return true;
}

bool paint_sets_networks(struct paint_sets *p, int h, int w, unsigned halves, GError **error)
{
    // only one set's networks can be kept for the next call
    p->sets[0].painter.h = h;
    p->sets[0].painter.w = w;
    p->parts = g_new0(struct denoise_part, p->n);
    for (int i = 0; i < p->n; i++) {
        if (!painter_networks(&p->sets[i].painter, i == 0 ? halves : 0, error)) {
            return false;
        }
        p->parts[i] = (struct denoise_part){
            .unet = p->sets[i].painter.unet, .text = &p->sets[i].text, .weight = p->sets[i].weight};
    }
    return true;
}
