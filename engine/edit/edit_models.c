/* The models that an edit draws with; see edit_models.h. */
#include "engine/edit/edit_models.h"

bool edit_models_open(struct edit_models *m, const struct painter *painter, bool places,
                      const char *shift, bool force, GError **error)
{
    const struct svdiff_scaled_subject subject = {.file = shift, .scale = 1};

    *m = (struct edit_models){0};
    for (int i = 0; i < (places ? EDIT_MODELS : 1); i++) {
        m->painters[i] = *painter;
        m->n++;
        if (!painter_open(&m->painters[i], &subject, i == EDIT_LEARNED ? 1 : 0, force, error)) {
            return false;
        }
    }
    return true;
}

void edit_models_finish(struct edit_models *m)
{
    for (int i = 0; i < m->n; i++) {
        painter_finish(&m->painters[i]);
        conditioning_clear(&m->embed[i]);
    }
    *m = (struct edit_models){0};
}

bool edit_models_embed(struct edit_models *m, const GPtrArray *texts, GError **error)
{
    for (int i = 0; i < m->n; i++) {
        if (!painter_embed(&m->painters[i], (const char *const *)texts->pdata, (int)texts->len,
                           &m->embed[i], error)) {
            return false;
        }
    }
    return true;
}

bool edit_models_networks(struct edit_models *m, GError **error)
{
    for (int i = 0; i < m->n; i++) {
        const unsigned halves = i == EDIT_LEARNED ? AUTOENCODER_ENCODER | AUTOENCODER_DECODER : 0;
        if (!painter_networks(&m->painters[i], halves, error)) {
            return false;
        }
    }
    return true;
}

struct autoencoder *edit_models_autoencoder(const struct edit_models *m)
{
    return m->painters[EDIT_LEARNED].autoencoder;
}

/* ---- a run ---- */

// the negative prompt for each text, then the texts of a role
static void join_pair(const struct conditioning *embed, const struct edit_target *t,
                      enum edit_role role, struct conditioning *pair)
{
    g_autofree int *rows = g_new0(int, 2 * t->texts);

    for (int i = 0; i < t->texts; i++) {
        rows[t->texts + i] = t->row[role] + i;
    }
    conditioning_join(pair, embed, rows, 2, t->texts);
}

void edit_run_prepare(struct edit_run *r, const struct edit_models *m, const struct edit_target *t,
                      enum edit_role role)
{
    const bool places = edit_target_has_places(t);
    const struct attention_regions *list = &t->regions.list;

    *r = (struct edit_run){.n_parts = places ? EDIT_MODELS : 1,
                           .guide = places ? &t->regions.guide : NULL};
    for (int i = 0; i < r->n_parts; i++) {
        join_pair(&m->embed[i], t, role, &r->text[i]);
        // the masks of the halves sum to 1
        r->parts[i] = (struct denoise_part){
            .unet = m->painters[i].unet,
            .text = &r->text[i],
            .weight = places ? list->masks + (size_t)i * list->h * list->w : NULL};
    }
}

void edit_run_clear(struct edit_run *r)
{
    for (int i = 0; i < r->n_parts; i++) {
        conditioning_clear(&r->text[i]);
    }
    *r = (struct edit_run){0};
}
