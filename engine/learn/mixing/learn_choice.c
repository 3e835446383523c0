/* The choices of a row; see learn_choice.h. Index 0 to 15 of the stream NOISE_CUT_MIX are single
 * choices, the ones behind them belong to the masks of a picture. */
#include "engine/learn/mixing/learn_choice.h"

#include "engine/text/wording.h"
#include "engine/base/noise.h"

#include <string.h>

enum { DRAW_MIX, DRAW_PARTNER, DRAW_ORDER, DRAW_LAYOUT };
enum { DRAW_WORDING = 8, DRAW_MASKS = 16 };

// from 0 to n - 1; what: which of the row's choices
static int draw(const struct lesson *l, uint64_t number, int what, int n)
{
    return noise_integer(l->options->seed, NOISE_CUT_MIX, number, (uint64_t)what, n);
}

/* ---- two, cut and mixed ---- */

// subjects of one picture are learned from it together; mixing them would show both twice
bool lesson_can_mix(const struct lesson *l, int a, int b)
{
    const GArray *x = lesson_subject(l, a)->pictures, *y = lesson_subject(l, b)->pictures;

    for (guint i = 0; i < x->len; i++) {
        if (learn_list_has(y, g_array_index(x, int, i))) {
            return false;
        }
    }
    return a != b;
}

// another subject to mix `one` with, each equally likely; -1 when there is none
static int draw_partner(const struct lesson *l, uint64_t number, int one)
{
    g_autofree int *partners = g_new(int, lesson_subjects(l));
    int n = 0;

    for (int i = 0; i < lesson_subjects(l); i++) {
        if (lesson_can_mix(l, one, i)) {
            partners[n++] = i;
        }
    }
    return n > 0 ? partners[draw(l, number, DRAW_PARTNER, n)] : -1;
}

static void swap(struct learn_choice *c)
{
    const int first = c->subjects[0];

    c->subjects[0] = c->subjects[1];
    c->subjects[1] = first;
}

// which of two is first, and what words say so; dx, dy: from the middle of one to the other's
static void arrange(struct learn_choice *c, double dx, double dy)
{
    c->layout = ABS(dx) >= ABS(dy) ? LAYOUT_BESIDE : LAYOUT_BELOW;
    if ((c->layout == LAYOUT_BESIDE ? dx : dy) < 0) {
        swap(c);
    }
}

// by the regions that the user drew
static void arrange_drawn(const struct lesson *l, struct learn_choice *c)
{
    const struct lesson_subject *a = lesson_subject(l, c->subjects[0]);
    const struct lesson_subject *b = lesson_subject(l, c->subjects[1]);

    arrange(c, b->region_x - a->region_x, b->region_y - a->region_y);
}

// false: the row shows one picture
static bool choose_mixed(const struct lesson *l, uint64_t number, int one, struct learn_choice *c)
{
    const double chance = noise_uniform(l->options->seed, NOISE_CUT_MIX, number, DRAW_MIX);
    const int other = chance < l->options->cut_mix ? draw_partner(l, number, one) : -1;

    if (other < 0) {
        return false;
    }
    *c = (struct learn_choice){.n = 2, .subjects = {one, other}, .mixed = true};
    // all subjects have a region or none has (learn_check.c)
    if (lesson_subject(l, one)->region != NULL) {
        arrange_drawn(l, c);
    } else {
        c->layout =
            layout_draw(l->options->cut_mix_layouts, draw(l, number, DRAW_LAYOUT, LAYOUT_DRAWS));
        if (draw(l, number, DRAW_ORDER, 2)) {
            swap(c);
        }
    }
    return true;
}

/* ---- several of one picture ---- */

struct point {
    double x, y;
};

// the middle of what a subject's mask marks in a picture that has one of it, in latents
static struct point mask_centre(const struct lesson *l, const struct learn_picture *p, int subject)
{
    const int w = l->pictures->w, h = l->pictures->h;
    const struct learn_mask *mask = p->masks;
    struct point at = {0, 0};
    double sum = 0;

    while (mask->subject != subject) {
        mask++;
    }
    for (int i = 0; i < w * h; i++) {
        sum += mask->share[i];
        at.x += mask->share[i] * (i % w);
        at.y += mask->share[i] * (i / w);
    }
    return (struct point){at.x / sum, at.y / sum};
}

// by their masks
static void arrange_two(const struct lesson *l, const struct learn_picture *p,
                        struct learn_choice *c)
{
    const struct point a = mask_centre(l, p, c->subjects[0]);
    const struct point b = mask_centre(l, p, c->subjects[1]);

    arrange(c, b.x - a.x, b.y - a.y);
}

// from left to right
static void sort_by_place(const struct lesson *l, const struct learn_picture *p,
                          struct learn_choice *c)
{
    // insertion sort: there are 8 at most
    double at[CHOICE_MAX];

    for (int i = 0; i < c->n; i++) {
        const int subject = c->subjects[i];
        const double x = mask_centre(l, p, subject).x;
        int j = i;
        for (; j > 0 && at[j - 1] > x; j--) {
            at[j] = at[j - 1];
            c->subjects[j] = c->subjects[j - 1];
        }
        at[j] = x;
        c->subjects[j] = subject;
    }
}

// one of a subject's pictures
static int draw_picture(const struct lesson *l, uint64_t number, const GArray *own)
{
    // the same draw as without masks, so that a subject's pictures come in the same order
    const int which = noise_integer(l->options->seed, NOISE_ORDER, number, 0, (int)own->len);

    return g_array_index(own, int, which);
}

// with buckets: one of those that have the shape of the first row's, since a batch has one shape
static int draw_shaped(const struct lesson *l, uint64_t number, const GArray *own)
{
    const uint64_t first = number - number % (uint64_t)l->options->batch;
    const struct learn_picture *shape = learn_pictures_at(l->pictures, draw_picture(l, first, own));
    g_autoptr(GArray) same = g_array_new(FALSE, FALSE, sizeof(int));

    for (guint i = 0; i < own->len; i++) {
        const struct learn_picture *p = learn_pictures_at(l->pictures, g_array_index(own, int, i));
        if (p->h == shape->h && p->w == shape->w) {
            g_array_append_val(same, g_array_index(own, int, i));
        }
    }
    // the first row's is among them, and is its own draw
    return number == first ? draw_picture(l, first, own) : draw_picture(l, number, same);
}

static void choose_picture(const struct lesson *l, uint64_t number, int one, struct learn_choice *c)
{
    const GArray *own = lesson_subject(l, one)->pictures;

    *c = (struct learn_choice){.n = 1, .subjects = {one}};
    c->picture = l->options->buckets ? draw_shaped(l, number, own) : draw_picture(l, number, own);
    const struct learn_picture *p = learn_pictures_at(l->pictures, c->picture);
    for (int i = 0; i < p->n_masks && c->n < CHOICE_MAX; i++) {
        if (p->masks[i].subject != one && draw(l, number, DRAW_MASKS + i, 2)) {
            c->subjects[c->n++] = p->masks[i].subject;
        }
    }
    if (c->n == 2) {
        arrange_two(l, p, c);
    } else if (c->n > 2) {
        sort_by_place(l, p, c);
    }
}

/* ---- all of it ---- */

void lesson_choose(const struct lesson *l, uint64_t number, bool prior, struct learn_choice *c)
{
    const int n = lesson_subjects(l);
    const int one = noise_integer(l->options->seed, NOISE_SUBJECT, number, 0, n);

    if (!choose_mixed(l, number, one, c)) {
        choose_picture(l, number, one, c);
    }
    if (c->n == 2) {
        c->wording = draw(l, number, DRAW_WORDING, wording_count(c->layout));
    }
    // class pictures show one thing each
    if (prior && !c->mixed && !lesson_prior_by_prediction(l)) {
        c->n = 1;
    }
}

void lesson_choose_pair(const struct lesson *l, int first, int second, struct learn_choice *c)
{
    *c = (struct learn_choice){
        .n = 2, .subjects = {first, second}, .mixed = true, .layout = LAYOUT_HALVES};
    if (lesson_subject(l, first)->region != NULL) {
        arrange_drawn(l, c);
    }
}

void lesson_mixed_regions(const struct lesson *l, const struct learn_choice *c, float *regions)
{
    const int n = l->pictures->w;

    // halves, corners: known from the layout alone
    if (!layout_is_drawn(c->layout)) {
        layout_regions(c->layout, n, regions);
        return;
    }
    for (int i = 0; i < 2; i++) {
        memcpy(regions + (size_t)i * n * n, lesson_subject(l, c->subjects[i])->region,
               (size_t)n * n * sizeof *regions);
    }
}

char *lesson_prompt(const struct lesson *l, const struct learn_choice *c, bool class_words)
{
    // in the order of the picture, which the words say
    const char *prompts[CHOICE_MAX];

    for (int i = 0; i < c->n; i++) {
        const struct lesson_subject *s = lesson_subject(l, c->subjects[i]);
        prompts[i] = class_words ? s->class_prompt : s->prompt;
    }
    if (c->n == 1) {
        const bool given = !class_words && !c->mixed && l->captions->pdata[c->picture] != NULL;
        return g_strdup(given ? l->captions->pdata[c->picture] : prompts[0]);
    }
    return c->n == 2 ? wording_pair(c->layout, c->wording, prompts[0], prompts[1])
                     : wording_list(prompts, c->n);
}

void lesson_mark_words(const struct lesson *l, const struct learn_choice *c, const int32_t *ids,
                       int tokens, float *own)
{
    for (int k = 0; k < c->n; k++) {
        const struct lesson_subject *s = lesson_subject(l, c->subjects[k]);
        for (int t = 0; t < tokens; t++) {
            own[k * tokens + t] = learn_list_has(s->own, ids[t]);
        }
    }
}
