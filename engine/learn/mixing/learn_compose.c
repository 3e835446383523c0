/* Composing mixed pictures; see learn_compose.h. */
#include "engine/learn/mixing/learn_compose.h"

#include "engine/learn/pictures/learn_place.h"
#include "engine/picture/picture_scale.h"

static void free_placed(void *placed)
{
    struct learn_placed_picture *p = placed;

    picture_free(p->image);
    picture_free(p->mask);
    g_free(p);
}

static void clear_composed(void *composed)
{
    picture_free(((struct learn_composed *)composed)->weight);
}

struct learn_mixtures *learn_mixtures_create(const struct vae_config *vae, int size)
{
    struct learn_mixtures *m = g_new(struct learn_mixtures, 1);

    m->places = g_ptr_array_new_with_free_func(free_placed);
    m->pictures = learn_pictures_create(vae, size);
    m->list = g_array_new(FALSE, FALSE, sizeof(struct learn_composed));
    g_array_set_clear_func(m->list, clear_composed);
    return m;
}

void learn_mixtures_free(struct learn_mixtures *m)
{
    if (m == NULL) {
        return;
    }
    g_ptr_array_unref(m->places);
    learn_pictures_free(m->pictures);
    g_array_unref(m->list);
    g_free(m);
}

/* ---- one picture ---- */

// what is composed now: two subjects in one layout, with one picture of each
struct composing {
    const struct lesson *l;
    struct learn_mixtures *m;
    const struct autoencoder *a;
    struct learn_composed one;
    const struct learn_placed_picture *both[2]; // in the order of the picture
    picture *regions[2];                        // [size, size] where no masks are
};

// x = w f + (1 - w) b, see learn_compose.h
static void blend(const picture *front, const picture *weight, const picture *back, picture *out)
{
    const size_t count = (size_t)out->width * out->height;

    for (size_t i = 0; i < count; i++) {
        const float w = weight->pixels[i];
        for (int c = 0; c < 3; c++) {
            out->pixels[3 * i + c] =
                w * front->pixels[3 * i + c] + (1 - w) * back->pixels[3 * i + c];
        }
    }
}

// what the trace shows of it
static bool keep_for_trace(struct learn_composed *one, const struct composing *x,
                           const picture *weight, GError **error)
{
    one->placed[0] = x->both[0]->image;
    one->placed[1] = x->both[1]->image;
    one->weight = picture_copy(weight, error);
    return one->weight != NULL;
}

// what is seen of the one behind: all that is free, or what of it its mask marks
static void fill_behind(const picture *weight, const picture *mask, picture *out)
{
    const size_t count = (size_t)out->width * out->height;

    for (size_t i = 0; i < count; i++) {
        const float seen = 1 - weight->pixels[i];
        out->pixels[i] = mask != NULL ? MIN(seen, mask->pixels[i]) : seen;
    }
}

// composes one picture of the two and encodes it at once: pixels are large, latents are not
static bool add_composed(const struct composing *x, GError **error)
{
    const struct lesson *l = x->l;
    const int front = x->one.front, size = l->options->size;
    const struct learn_placed_picture *f = x->both[front], *b = x->both[1 - front];
    const picture *weight = f->mask != NULL ? f->mask : x->regions[front];
    g_autoptr(picture) out = picture_create(size, size, 3, error);
    g_autoptr(picture) behind = out != NULL ? picture_create(size, size, 1, error) : NULL;

    if (behind == NULL) {
        return false;
    }
    blend(f->image, weight, b->image, out);
    fill_behind(weight, b->mask, behind);
    // of both it is marked where they are, as of a picture with two masks
    const picture *const masks[] = {weight, behind};
    const int subjects[] = {x->one.subjects[front], x->one.subjects[1 - front]};
    const struct learn_source source = {
        .image = out, .n_masks = 2, .masks = masks, .subjects = subjects};
    const struct learn_framing framing = {.width = size, .height = size};
    // the list owns its weight from here on
    struct learn_composed one = x->one;
    if (l->options->trace != NULL && !keep_for_trace(&one, x, weight, error)) {
        return false;
    }
    g_array_append_val(x->m->list, one);
    return learn_pictures_add(x->m->pictures, &source, &framing, 0, error) &&
           learn_pictures_encode(x->m->pictures, l->session->k, x->a, error);
}

/* ---- all of two subjects ---- */

// the placed copies of a subject's pictures for its place: one a picture and mirror image
static GPtrArray *copies_for(const struct composing *x, int which)
{
    const int subject = x->one.subjects[which];
    const enum layout layout = x->one.layout;
    GPtrArray *copies = g_ptr_array_new();

    for (guint i = 0; i < x->m->places->len; i++) {
        const struct learn_placed_picture *p = x->m->places->pdata[i];
        if (p->subject == subject &&
            (layout_is_drawn(layout) || p->place == layout_place(layout, which))) {
            g_ptr_array_add(copies, (void *)p);
        }
    }
    return copies;
}

/* With a mask the one in front is cut out; without, only when neither has one. Two halves are the
 * same picture whichever is in front. */
static bool may_be_in_front(const struct composing *x)
{
    const picture *own = x->both[x->one.front]->mask, *others = x->both[1 - x->one.front]->mask;

    return own != NULL || (others == NULL && (x->one.front == 0 || layout_is_drawn(x->one.layout)));
}

/* Some pairs of the two subjects' pictures, LEARN_PAIRS at most: pictures as often as each other,
 * and whom they are beside changing. */
static bool add_pairs(struct composing *x, GError **error)
{
    g_autoptr(GPtrArray) first = copies_for(x, 0);
    g_autoptr(GPtrArray) second = copies_for(x, 1);
    const int all = (int)(first->len * second->len), n = MIN(all, LEARN_PAIRS);

    for (int i = 0; i < n; i++) {
        // evenly spread over all pairs; with n below all, no first or second more often than
        // another
        const int at = (int)((int64_t)i * all / n);
        const int of_first = at / (int)second->len;
        x->both[0] = first->pdata[of_first];
        x->both[1] = second->pdata[(at + of_first) % (int)second->len];
        if (may_be_in_front(x) && !add_composed(x, error)) {
            return false;
        }
    }
    return true;
}

// the latents' regions as large as the pictures, from one to the other within one latent
static bool make_regions(struct composing *x, GError **error)
{
    const int n = x->l->pictures->w, size = x->l->options->size;
    const struct learn_choice c = {.n = 2,
                                   .subjects = {x->one.subjects[0], x->one.subjects[1]},
                                   .mixed = true,
                                   .layout = x->one.layout};
    g_autofree float *grid = g_new(float, 2 * (size_t)n * n);

    lesson_mixed_regions(x->l, &c, grid);
    for (int i = 0; i < 2; i++) {
        const picture cells = {
            .width = n, .height = n, .channels = 1, .pixels = grid + (size_t)i * n * n};
        x->regions[i] = picture_resize(&cells, size, size, error);
        if (x->regions[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool compose_layout(struct composing *x, int first, int second, enum layout layout,
                           GError **error)
{
    x->one = (struct learn_composed){.subjects = {first, second}, .layout = layout};
    bool done = make_regions(x, error);

    // each of the two in front of the other, where that makes another picture
    for (int front = 0; front < 2 && done; front++) {
        x->one.front = front;
        done = add_pairs(x, error);
    }
    g_clear_pointer(&x->regions[0], picture_free);
    g_clear_pointer(&x->regions[1], picture_free);
    return done;
}

/* All layouts that can be drawn for the two in this order; the other order is a call of its own.
 * Regions of the user leave one order and one layout. */
static bool compose_pair(struct composing *x, int first, int second, GError **error)
{
    struct learn_choice drawn;
    unsigned seen = 0;

    lesson_choose_pair(x->l, first, second, &drawn);
    if (layout_is_drawn(drawn.layout)) {
        return drawn.subjects[0] != first || compose_layout(x, first, second, drawn.layout, error);
    }
    for (int i = 0; i < LAYOUT_DRAWS; i++) {
        const enum layout layout = layout_draw(x->l->options->cut_mix_layouts, i);
        if (!(seen & 1u << layout) && !compose_layout(x, first, second, layout, error)) {
            return false;
        }
        // several draws may mean the same layout
        seen |= 1u << layout;
    }
    return true;
}

bool lesson_compose(const struct lesson *l, struct learn_mixtures *m, const struct autoencoder *a,
                    GError **error)
{
    struct composing x = {.l = l, .m = m, .a = a};
    const int n = lesson_subjects(l);

    for (int i = 0; i < n * n && m->places->len > 0; i++) {
        if (lesson_can_mix(l, i / n, i % n) && !compose_pair(&x, i / n, i % n, error)) {
            return false;
        }
    }
    if (l->options->trace == NULL) {
        // pixels are not needed any more
        g_ptr_array_set_size(m->places, 0);
    }
    return true;
}

int lesson_pick_composed(const struct lesson *l, const struct learn_mixtures *m, uint64_t number,
                         enum noise_stream order, const struct learn_choice *c)
{
    // those that show what was chosen; which is in front is left to chance
    g_autofree int *fits = g_new(int, m->list->len);
    int n = 0;

    for (int i = 0; i < (int)m->list->len; i++) {
        const struct learn_composed *one = &g_array_index(m->list, struct learn_composed, i);
        if (one->layout == c->layout && one->subjects[0] == c->subjects[0] &&
            one->subjects[1] == c->subjects[1]) {
            fits[n++] = i;
        }
    }
    return fits[noise_integer(l->options->seed, order, number, 0, n)];
}
