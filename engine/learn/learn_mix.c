/* Cutting and mixing; see learn_mix.h. */
#include "engine/learn/learn_mix.h"

#include <math.h>
#include <string.h>

static const struct learner_subject *subject_at(const struct learner *l, int i)
{
    return &g_array_index(l->subjects, struct learner_subject, i);
}

void learner_loss_map(const struct learner *l, const float *others, float *map, int count)
{
    const double outside = l->options->mask_weight;
    double sum = 0;

    for (int i = 0; i < count; i++) {
        const double unseen = others != NULL ? MAX(others[i] - map[i], 0) : 0;
        map[i] = (float)((outside + (1 - outside) * map[i]) * (1 - unseen));
        sum += map[i];
    }
    for (int i = 0; i < count; i++) {
        map[i] = (float)(map[i] * count / sum);
    }
}

/* ---- the two pictures ---- */

void learner_take_latents(const struct learner *l, uint64_t number, enum noise_stream stream,
                          const struct learn_pictures *pictures, int index, int variant, float *out)
{
    const int64_t size = (int64_t)pictures->h * pictures->w * pictures->c;
    g_autofree float *posterior = NULL;

    if (!l->options->latent_mean) {
        posterior = g_new(float, size);
        noise_normal(l->options->seed, stream, number, posterior, size);
    }
    learn_pictures_latents(pictures, index, variant, posterior, out);
}

// of a placed picture's entries, the one for this layout
static int place_index(const struct learner *l, const struct learn_choice *c, int which)
{
    enum place first;

    if (layout_is_drawn(c->layout)) {
        return 0;
    }
    layout_places(l->options->cut_mix_layouts, &first);
    return (int)layout_place(c->layout, which) - (int)first;
}

// the subject's picture, placed and perhaps mirrored
static void placed_source(const struct learner *l, uint64_t number, const struct learn_choice *c,
                          const struct learn_mix_streams *s, int which, float *out)
{
    const struct learner_subject *one = subject_at(l, c->subjects[which]);
    const uint64_t seed = l->options->seed;
    const int k = noise_integer(seed, s->order, number, 2 * which, (int)one->placed->len);
    const int mirrors = l->options->flip ? 2 : 1;
    const int mirror = noise_integer(seed, s->order, number, 2 * which + 1, mirrors);
    const int index =
        g_array_index(one->placed, int, k) + place_index(l, c, which) * mirrors + mirror;

    learner_take_latents(l, number, s->latent[which], l->placed, index, 0, out);
}

// in [h, w, c] moved by whole latents, its edges repeated
static void shift_latents(const float *in, int h, int w, int c, int down, int right, float *out)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            const int from_y = CLAMP(y - down, 0, h - 1), from_x = CLAMP(x - right, 0, w - 1);
            memcpy(out + ((size_t)y * w + x) * c, in + ((size_t)from_y * w + from_x) * c,
                   c * sizeof *out);
        }
    }
}

// a class picture whose middle comes into the middle of the subject's place
static void class_source(const struct learner *l, uint64_t number, const struct learn_choice *c,
                         const struct learn_mix_streams *s, int which, float *out)
{
    const struct learner_subject *one = subject_at(l, c->subjects[which]);
    const struct learn_pictures *p = l->prior_pictures;
    const int k =
        noise_integer(l->options->seed, s->order, number, 2 * which, (int)one->prior_pictures->len);
    g_autofree float *whole = g_new(float, (size_t)p->h * p->w * p->c);
    double x = one->region_x, y = one->region_y;

    if (!layout_is_drawn(c->layout)) {
        const struct layout_box box = layout_place_box(layout_place(c->layout, which));
        x = (box.left + box.right) / 2;
        y = (box.top + box.bottom) / 2;
    }
    learner_take_latents(l, number, s->latent[which], p, g_array_index(one->prior_pictures, int, k),
                         0, whole);
    shift_latents(whole, p->h, p->w, p->c, (int)lrint((y - 0.5) * p->h),
                  (int)lrint((x - 0.5) * p->w), out);
}

/* ---- who has which place ---- */

void learner_mixed_regions(const struct learner *l, const struct learn_choice *c, float *regions)
{
    const int n = l->pictures->w;

    if (!layout_is_drawn(c->layout)) {
        layout_regions(c->layout, n, regions);
        return;
    }
    for (int i = 0; i < 2; i++) {
        memcpy(regions + (size_t)i * n * n, subject_at(l, c->subjects[i])->region,
               (size_t)n * n * sizeof *regions);
    }
}

// regions as weights: what overlaps is shared, what is free is the background's
static void share_out(const float *regions, int count, int background, float *weights)
{
    float *front = weights + (1 - background) * count, *back = weights + background * count;
    const float *front_region = regions + (1 - background) * count;
    const float *back_region = regions + background * count;

    for (int i = 0; i < count; i++) {
        const float sum = front_region[i] + back_region[i];
        front[i] = sum > 1 ? front_region[i] / sum : front_region[i];
        back[i] = 1 - front[i];
    }
}

void learner_mix(const struct learner *l, uint64_t number, const struct learn_choice *c,
                 const struct learn_mix_streams *s, bool class_pictures, struct learn_mixture *m,
                 float *latents)
{
    const int count = l->pictures->h * l->pictures->w, channels = l->pictures->c;

    for (int i = 0; i < 2; i++) {
        float *source = m->sources + (size_t)i * count * channels;
        if (class_pictures) {
            class_source(l, number, c, s, i, source);
        } else {
            placed_source(l, number, c, s, i, source);
        }
    }
    learner_mixed_regions(l, c, m->regions);
    share_out(m->regions, count, c->background, m->weights);
    for (int i = 0; m->map != NULL && i < count; i++) {
        m->map[i] = 1;
    }
    for (int i = 0; i < count * channels; i++) {
        latents[i] = m->weights[i / channels] * m->sources[i] +
                     m->weights[count + i / channels] * m->sources[count * channels + i];
    }
}
