/* One text that the picture is drawn from again; see edit_target.h. */
#include "engine/edit/edit_target.h"

#include "engine/learn/pictures/learn_place.h"
#include "engine/text/prompt_parts.h"

#include <string.h>

/* ---- which of two is the picture's ---- */

static bool says_nothing(const char *word)
{
    static const char *const small[] = {"",     "a",   "an", "the", "of",
                                        "with", "and", "in", "on",  NULL};

    return g_strv_contains(small, word);
}

static char **words_of(const char *text)
{
    // "Fox" and "fox," are the same word
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
        // each time that it comes, as it is typed
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
    // the picture's own is the first from here on
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

// each text in its half. Subject 0 belongs to the first; the second has one that there is not, so
// that it is the model's own.
static void set_regions(struct edit_target *t, enum edit_role role, const char *own,
                        const char *other)
{
    t->regions[role][0] = (struct svdiff_region){.mask = t->masks[0], .text = own, .subjects = 1};
    t->regions[role][1] = (struct svdiff_region){.mask = t->masks[1], .text = other, .subjects = 2};
}

// under the description the subject is in its half, and nothing in the other
static bool open_places(struct edit_target *t, const char *prompt, const char *target,
                        GError **error)
{
    t->moves = !wording_has_place(prompt);
    // zeroed texts and masks are finished, whatever fails
    t->n_regions = 2;
    for (int i = 0; i < 2; i++) {
        t->masks[i] = half_mask(t->places[i].place, error);
        if (t->masks[i] == NULL) {
            return false;
        }
    }
    set_regions(t, EDIT_TARGET, t->places[0].text, t->places[1].text);
    t->everywhere[EDIT_TARGET] = regions_rest(target, t->regions[EDIT_TARGET], 2);
    g_autofree char *plain = t->moves ? wording_at(prompt, t->places[0].place) : g_strdup(prompt);
    t->source = prompt_escape(plain);
    set_regions(t, EDIT_SOURCE, t->source, "");
    t->everywhere[EDIT_SOURCE] = prompt_escape(t->moves ? "" : prompt);
    return true;
}

bool edit_target_open(struct edit_target *t, const char *prompt, const char *target, GError **error)
{
    *t = (struct edit_target){0};
    if (find_places(prompt, target, t->places)) {
        return open_places(t, prompt, target, error);
    }
    t->everywhere[EDIT_TARGET] = g_strdup(target);
    // it is learned as plain words, and drawn under the same
    t->everywhere[EDIT_SOURCE] = prompt_escape(prompt);
    return true;
}

void edit_target_finish(struct edit_target *t)
{
    clear_places(t->places);
    picture_free(t->masks[0]);
    picture_free(t->masks[1]);
    g_free(t->source);
    g_free(t->everywhere[EDIT_TARGET]);
    g_free(t->everywhere[EDIT_SOURCE]);
    *t = (struct edit_target){0};
}

struct scene_texts edit_target_texts(const struct edit_target *t, enum edit_role role,
                                     const char *negative)
{
    return (struct scene_texts){.negative = negative,
                                .everywhere = t->everywhere[role],
                                .regions = t->regions[role],
                                .n_regions = t->n_regions};
}

/* ---- the picture ---- */

picture *edit_target_move(const struct edit_target *t, const picture *image, const picture *alpha,
                          GError **error)
{
    const struct learn_placing p = {.width = image->width,
                                    .height = image->height,
                                    .target = layout_place_box(t->places[0].place),
                                    .limit = LEARN_PLACE_SHARED};
    picture *placed;

    return learn_place(image, alpha, &p, &placed, NULL, error) ? placed : NULL;
}
