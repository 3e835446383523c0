/* One text that the picture is drawn from again; see edit_target.h. */
#include "engine/edit/edit_target.h"

#include "engine/learn/pictures/learn_place.h"

#include <string.h>

/* ---- which of two is the picture's ---- */

static bool says_nothing(const char *word)
{
    static const char *const small[] = {"", "a", "an", "the", "of", "with", "and", "in", "on"};

    for (gsize i = 0; i < G_N_ELEMENTS(small); i++) {
        if (strcmp(word, small[i]) == 0) {
            return true;
        }
    }
    return false;
}

static char **words_of(const char *text)
{
    g_autofree char *lower = g_utf8_strdown(text, -1);

    return g_strsplit_set(lower, " \t\n.,;:!?\"()", -1);
}

// how many words of the text the description has, too
static int shared_words(const char *text, const char *description)
{
    g_auto(GStrv) words = words_of(text);
    g_auto(GStrv) described = words_of(description);
    int n = 0;

    for (char **w = words; *w != NULL; w++) {
        n += !says_nothing(*w) && g_strv_contains((const char *const *)described, *w);
    }
    return n;
}

static void clear_places(struct wording_place places[2])
{
    for (int i = 0; i < 2; i++) {
        g_free(places[i].text);
        places[i] = (struct wording_place){0};
    }
}

// false: the target names no places, or of its two things none is the picture's more than the other
static bool find_places(const char *prompt, const char *target, struct wording_place places[2])
{
    int shared[2];

    if (!wording_two_places(target, places)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        g_autofree char *thing = g_strndup(places[i].text, places[i].length);
        shared[i] = shared_words(thing, prompt);
    }
    if (shared[1] > shared[0]) {
        const struct wording_place second = places[0];
        places[0] = places[1];
        places[1] = second;
    }
    if (shared[0] == shared[1]) {
        clear_places(places);
    }
    return shared[0] != shared[1];
}

/* ---- opening ---- */

bool edit_target_has_places(const struct edit_target *t)
{
    return t->places[0].text != NULL;
}

// halves as a picture of two pixels
static picture *half_mask(enum place place, GError **error)
{
    const bool beside = place == PLACE_LEFT || place == PLACE_RIGHT;
    picture *mask = picture_create(beside ? 2 : 1, beside ? 1 : 2, 1, error);

    if (mask != NULL) {
        mask->pixels[0] = place == PLACE_LEFT || place == PLACE_TOP;
        mask->pixels[1] = 1 - mask->pixels[0];
    }
    return mask;
}

static bool open_regions(struct edit_target *t, int h, int w, GError **error)
{
    g_autoptr(picture) first = half_mask(t->places[0].place, error);
    g_autoptr(picture) second = first != NULL ? half_mask(t->places[1].place, error) : NULL;
    const struct svdiff_region regions[] = {{.mask = first}, {.mask = second}};

    return second != NULL && regions_open(&t->regions, regions, 2, h, w, error);
}

// the target: its rest, then what is said of each place
static void add_target_texts(const struct edit_target *t, const char *target, GPtrArray *texts)
{
    const struct svdiff_region regions[] = {{.text = t->places[0].text},
                                            {.text = t->places[1].text}};

    g_ptr_array_add(texts, regions_rest(target, regions, 2));
    for (int i = 0; i < 2; i++) {
        g_ptr_array_add(texts, g_strdup(t->places[i].text));
    }
}

// the description: the subject is in its half, and nothing in the other
static void add_source_texts(const struct edit_target *t, const char *prompt, GPtrArray *texts)
{
    g_ptr_array_add(texts, g_strdup(t->moves ? "" : prompt));
    g_ptr_array_add(texts, t->moves ? wording_at(prompt, t->places[0].place) : g_strdup(prompt));
    g_ptr_array_add(texts, g_strdup(""));
}

bool edit_target_open(struct edit_target *t, const char *prompt, const char *target, int h, int w,
                      GPtrArray *texts, GError **error)
{
    *t = (struct edit_target){.texts = 1};
    t->row[EDIT_TARGET] = (int)texts->len;
    if (!find_places(prompt, target, t->places)) {
        g_ptr_array_add(texts, g_strdup(target));
        t->row[EDIT_SOURCE] = (int)texts->len;
        g_ptr_array_add(texts, g_strdup(prompt));
        return regions_open(&t->regions, NULL, 0, h, w, error);
    }
    t->texts = 3;
    t->moves = !wording_has_place(prompt);
    add_target_texts(t, target, texts);
    t->row[EDIT_SOURCE] = (int)texts->len;
    add_source_texts(t, prompt, texts);
    return open_regions(t, h, w, error);
}

void edit_target_finish(struct edit_target *t)
{
    clear_places(t->places);
    regions_finish(&t->regions);
    *t = (struct edit_target){0};
}

/* ---- the picture ---- */

picture *edit_target_move(const struct edit_target *t, const picture *image, const picture *alpha,
                          GError **error)
{
    const struct learn_placing p = {.width = image->width,
                                    .height = image->height,
                                    .target = layout_place_box(t->places[0].place),
                                    .limit = LEARN_PLACE_SHARED};
    picture *placed, *placed_alpha;

    if (!learn_place(image, alpha, &p, &placed, &placed_alpha, error)) {
        return NULL;
    }
    picture_free(placed_alpha);
    return placed;
}
