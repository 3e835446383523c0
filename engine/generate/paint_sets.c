/* Models with sets of subjects in them; see paint_sets.h. */
#include "engine/generate/paint_sets.h"

#include <string.h>

static struct paint_set *at(const struct paint_sets *p, guint i)
{
    return &g_array_index(p->sets, struct paint_set, i);
}

const struct paint_set *paint_sets_at(const struct paint_sets *p, int i)
{
    return at(p, (guint)i);
}

static void clear_set(void *set)
{
    struct paint_set *s = set;

    if (s->painter.session != NULL) {
        painter_finish(&s->painter);
    }
    conditioning_clear(&s->texts);
}

void paint_sets_create(struct paint_sets *p)
{
    p->sets = g_array_new(FALSE, TRUE, sizeof(struct paint_set));
    g_array_set_clear_func(p->sets, clear_set);
    // each once, however many scenes ask for it
    p->texts = g_ptr_array_new_with_free_func(g_free);
}

void paint_sets_close(struct paint_sets *p)
{
    g_clear_pointer(&p->sets, g_array_unref);
    g_clear_pointer(&p->texts, g_ptr_array_unref);
}

/* ---- what is asked for ---- */

int paint_sets_without(struct paint_sets *p, uint64_t subjects)
{
    for (guint i = 0; i < p->sets->len; i++) {
        // a model that lacks the same is the same
        if (at(p, i)->without == subjects) {
            return (int)i;
        }
    }
    const struct paint_set set = {.without = subjects};
    g_array_append_val(p->sets, set);
    return (int)p->sets->len - 1;
}

int paint_sets_text(struct paint_sets *p, const char *text)
{
    guint found;

    if (g_ptr_array_find_with_equal_func(p->texts, text, g_str_equal, &found)) {
        return (int)found;
    }
    g_ptr_array_add(p->texts, g_strdup(text));
    return (int)p->texts->len - 1;
}

/* ---- opening ---- */

// bits for 64: those beyond belong to every set
static bool lacks(const struct paint_set *s, int i)
{
    return i < 64 && (s->without & (UINT64_C(1) << i));
}

static bool open_set(struct paint_set *s, const struct painter *painter,
                     const struct painter_parts *parts, GError **error)
{
    g_autofree struct svdiff_scaled_subject *subjects =
        g_new0(struct svdiff_scaled_subject, parts->n_subjects + 1);
    g_autofree struct svdiff_adapter *adapters =
        g_new0(struct svdiff_adapter, parts->n_adapters + 1);
    struct painter_parts own = {.subjects = subjects, .adapters = adapters, .force = parts->force};

    own.embeddings = parts->embeddings;
    own.n_embeddings = parts->n_embeddings;

    for (int i = 0; i < parts->n_subjects; i++) {
        if (!lacks(s, i)) {
            subjects[own.n_subjects++] = parts->subjects[i];
        }
    }
    for (int i = 0; i < parts->n_adapters; i++) {
        if (!lacks(s, parts->n_subjects + i)) {
            adapters[own.n_adapters++] = parts->adapters[i];
        }
    }
    // before opening, so that closing closes what was opened of it
    s->painter = *painter;
    return painter_open(&s->painter, &own, error);
}

bool paint_sets_open(struct paint_sets *p, const struct painter *painter,
                     const struct painter_parts *parts, GError **error)
{
    for (guint i = 0; i < p->sets->len; i++) {
        if (!open_set(at(p, i), painter, parts, error)) {
            return false;
        }
    }
    return true;
}

bool paint_sets_embed(struct paint_sets *p, GError **error)
{
    for (guint i = 0; i < p->sets->len; i++) {
        if (!painter_embed(&at(p, i)->painter, (const char *const *)p->texts->pdata,
                           (int)p->texts->len, &at(p, i)->texts, error)) {
            return false;
        }
    }
    return true;
}

bool paint_sets_networks(struct paint_sets *p, int h, int w, unsigned halves, GError **error)
{
    // only one set's networks can be kept for the next call
    at(p, 0)->painter.h = h;
    at(p, 0)->painter.w = w;
    for (guint i = 0; i < p->sets->len; i++) {
        // the autoencoder once: no subject changes it
        if (!painter_networks(&at(p, i)->painter, i == 0 ? halves : 0, error)) {
            return false;
        }
    }
    return true;
}

size_t paint_sets_unet_bytes(const struct paint_sets *p)
{
    size_t sum = 0;

    for (guint i = 0; i < p->sets->len; i++) {
        sum += network_bytes(unet_network(paint_sets_at(p, (int)i)->painter.unet));
    }
    return sum;
}

void paint_sets_drop_unets(struct paint_sets *p)
{
    for (guint i = 0; i < p->sets->len; i++) {
        g_clear_pointer(&at(p, i)->painter.unet, unet_free);
    }
}
