/* Which text and which model counts where; see scene.h. */
#include "engine/generate/scene.h"

// less than this of all places is none
#define NOTHING 1e-6f

struct scene_part {
    uint64_t subjects; // of its regions; 0: the part outside of them
    int set;
    float *weight; // [h, w]
    struct conditioning text;
};

static struct scene_part *at(const GArray *all, guint i)
{
    return &g_array_index(all, struct scene_part, i);
}

static void clear_part(void *part)
{
    struct scene_part *p = part;

    g_free(p->weight);
    conditioning_clear(&p->text);
}

/* ---- where each part counts ---- */

static size_t places(const struct scene *s)
{
    // of the latents' grid
    return (size_t)s->regions.list.h * s->regions.list.w;
}

// the part of these subjects
static struct scene_part *find_part(struct scene *s, uint64_t subjects)
{
    for (guint i = 0; i < s->all->len; i++) {
        if (at(s->all, i)->subjects == subjects) {
            return at(s->all, i);
        }
    }
    // regions with the same subjects are one part, and share a model
    const struct scene_part part = {.subjects = subjects, .weight = g_new0(float, places(s))};
    g_array_append_val(s->all, part);
    return at(s->all, s->all->len - 1);
}

// before it is shared out
static void add_masks(struct scene *s, const struct scene_texts *texts)
{
    for (int i = 0; i < texts->n_regions; i++) {
        if (texts->regions[i].subjects != 0) {
            const struct scene_part *p = find_part(s, texts->regions[i].subjects);
            const float *mask = s->regions.masks + i * places(s);
            for (size_t x = 0; x < places(s); x++) {
                // regions of one part may overlap
                p->weight[x] = MIN(1, p->weight[x] + mask[x]);
            }
        }
    }
}

static void share_out(struct scene *s)
{
    for (size_t x = 0; x < places(s); x++) {
        float sum = 0;
        for (guint i = 1; i < s->all->len; i++) {
            sum += at(s->all, i)->weight[x];
        }
        // where parts overlap each gets its share; where they do not, the rest has what is left
        for (guint i = 1; i < s->all->len && sum > 1; i++) {
            at(s->all, i)->weight[x] /= sum;
        }
        at(s->all, 0)->weight[x] = MAX(0, 1 - sum);
    }
}

static void drop_unused(struct scene *s)
{
    // from the end, so that removing moves none of those to come
    for (guint i = s->all->len; i > 0; i--) {
        float most = 0;
        for (size_t x = 0; x < places(s); x++) {
            most = MAX(most, at(s->all, i - 1)->weight[x]);
        }
        if (most < NOTHING) {
            g_array_remove_index(s->all, i - 1);
        }
    }
}

/* ---- opening ---- */

// each part lacks the subjects that other regions have for themselves
static void ask_for_sets(struct scene *s, struct paint_sets *sets, const struct scene_texts *texts,
                         int n_subjects)
{
    // a region may name subjects that are not there
    const uint64_t known = n_subjects < 64 ? (UINT64_C(1) << n_subjects) - 1 : ~UINT64_C(0);
    uint64_t confined = 0;

    for (int i = 0; i < texts->n_regions; i++) {
        confined |= texts->regions[i].subjects;
    }
    for (guint i = 0; i < s->all->len; i++) {
        struct scene_part *p = at(s->all, i);
        // parts that lack the same subjects are drawn by one model
        p->set = paint_sets_without(sets, confined & ~p->subjects & known);
    }
}

static void ask_for_texts(struct scene *s, struct paint_sets *sets, const struct scene_texts *texts)
{
    // numbers, since the texts are embedded later, and once for all scenes
    s->rows = g_new(int, 2 + texts->n_regions);
    s->rows[0] = paint_sets_text(sets, texts->negative);
    s->rows[1] = paint_sets_text(sets, texts->everywhere);
    for (int i = 0; i < texts->n_regions; i++) {
        s->rows[2 + i] = paint_sets_text(sets, texts->regions[i].text);
    }
}

bool scene_open(struct scene *s, struct paint_sets *sets, const struct scene_texts *texts,
                int n_subjects, int h, int w, GError **error)
{
    *s = (struct scene){.all = g_array_new(FALSE, FALSE, sizeof(struct scene_part))};
    g_array_set_clear_func(s->all, clear_part);
    if (!regions_open(&s->regions, texts->regions, texts->n_regions, h, w, error)) {
        return false;
    }
    // first, because share_out takes part 0 as the rest
    find_part(s, 0);
    add_masks(s, texts);
    share_out(s);
    drop_unused(s);
    ask_for_sets(s, sets, texts, n_subjects);
    ask_for_texts(s, sets, texts);
    return true;
}

void scene_finish(struct scene *s)
{
    regions_finish(&s->regions);
    g_clear_pointer(&s->all, g_array_unref);
    g_free(s->rows);
    g_free(s->parts);
    *s = (struct scene){0};
}

/* ---- using it ---- */

// the negative prompt in the place of each text, then the texts
static void join_texts(const struct scene *s, const struct conditioning *all,
                       struct conditioning *out)
{
    const int n = 1 + s->regions.list.n;
    g_autofree int *rows = g_new(int, 2 * n);

    for (int i = 0; i < n; i++) {
        // each region's text has a half without it, too: attention needs both of one shape
        rows[i] = s->rows[0];
        rows[n + i] = s->rows[1 + i];
    }
    conditioning_join(out, all, rows, 2, n);
}

void scene_prepare(struct scene *s, const struct paint_sets *sets)
{
    s->n = (int)s->all->len;
    s->parts = g_new0(struct denoise_part, s->n);
    for (int i = 0; i < s->n; i++) {
        struct scene_part *p = at(s->all, (guint)i);
        const struct paint_set *set = paint_sets_at(sets, p->set);
        // embedded by this set's own encoder, since subjects may change that as well
        join_texts(s, &set->texts, &p->text);
        s->parts[i] = (struct denoise_part){
            .unet = set->painter.unet, .text = &p->text, .weight = s->n > 1 ? p->weight : NULL};
    }
}

void scene_use(const struct scene *s, struct denoise *d)
{
    d->parts = s->parts;
    d->n_parts = s->n;
    d->guide = s->regions.list.n > 0 ? &s->regions.guide : NULL;
}

void scene_trace(const struct scene *s, struct trace *trace)
{
    const struct attention_regions *r = &s->regions.list;

    if (r->n > 0) {
        trace_add(trace, r->masks, (const int64_t[]){1, r->n, r->h, r->w}, 4, "regions");
    }
    for (int i = 0; i < s->n && s->n > 1; i++) {
        trace_add(trace, s->parts[i].weight, (const int64_t[]){1, 1, r->h, r->w}, 4,
                  "set_weight.%d", i);
    }
}

void scene_trace_texts(const struct scene *s, struct trace *trace, const char *name, int from)
{
    for (int i = 0; i < s->n; i++) {
        const struct conditioning *c = s->parts[i].text;
        const int64_t shape[] = {c->n - from, c->tokens, c->width};
        const float *context = c->context + (size_t)from * c->tokens * c->width;
        g_autofree char *number = i > 0 ? g_strdup_printf(".%d", i) : g_strdup("");
        trace_add(trace, context, shape, 3, "%s%s", name, number);
    }
}
