/* Wordings of prompts for several subjects; see wording.h. */
#include "engine/text/wording.h"

#include <glib.h>
#include <string.h>

static const char *const picture_words[] = {
    "photo",  "photograph",   "picture", "image",     "painting", "drawing",
    "sketch", "illustration", "shot",    "rendering", "render",   "portrait",
};

// %1 and %2 are the subjects
static const char *const halves[] = {"%1 on the left and %2 on the right", "%1 and %2",
                                     "%1 to the left of %2", NULL};
static const char *const stacked[] = {"%1 at the top and %2 at the bottom", "%1 above %2", NULL};
static const char *const falling[] = {"%1 at the top left and %2 at the bottom right",
                                      "%1 at the top left, %2 at the bottom right", NULL};
static const char *const rising[] = {"%1 at the bottom left and %2 at the top right",
                                     "%1 at the bottom left, %2 at the top right", NULL};
static const char *const *const wordings[] = {
    [LAYOUT_HALVES] = halves, [LAYOUT_STACKED] = stacked, [LAYOUT_FALLING] = falling,
    [LAYOUT_RISING] = rising, [LAYOUT_BESIDE] = halves,   [LAYOUT_BELOW] = stacked,
};

// of the halves, those of one picture after each other
static const char *const place_words[] = {
    [PLACE_LEFT] = " on the left",
    [PLACE_RIGHT] = " on the right",
    [PLACE_TOP] = " at the top",
    [PLACE_BOTTOM] = " at the bottom",
};

// whether the text before `end` ends with a word for a picture
static bool ends_with_picture(const char *prompt, const char *end)
{
    for (gsize i = 0; i < G_N_ELEMENTS(picture_words); i++) {
        const size_t length = strlen(picture_words[i]);
        if ((size_t)(end - prompt) >= length &&
            g_ascii_strncasecmp(end - length, picture_words[i], length) == 0 &&
            (end - length == prompt || !g_ascii_isalnum(end[-(gssize)length - 1]))) {
            return true;
        }
    }
    return false;
}

const char *wording_subject(const char *prompt)
{
    for (const char *of = strstr(prompt, " of "); of != NULL; of = strstr(of + 1, " of ")) {
        if (ends_with_picture(prompt, of)) {
            return of + strlen(" of ");
        }
    }
    return prompt;
}

int wording_count(enum layout layout)
{
    int n = 0;

    while (wordings[layout][n] != NULL) {
        n++;
    }
    return n;
}

// the subject without what ends its sentence
static void append_subject(GString *text, const char *prompt)
{
    const char *subject = wording_subject(prompt);
    size_t length = strlen(subject);

    while (length > 0 &&
           (g_ascii_isspace(subject[length - 1]) || strchr(".,;:!", subject[length - 1]) != NULL)) {
        length--;
    }
    g_string_append_len(text, subject, (gssize)length);
}

static GString *begin_with_lead(const char *prompt)
{
    return g_string_new_len(prompt, wording_subject(prompt) - prompt);
}

char *wording_pair(enum layout layout, int which, const char *first, const char *second)
{
    GString *text = begin_with_lead(first);

    for (const char *c = wordings[layout][which]; *c != '\0'; c++) {
        if (c[0] != '%') {
            g_string_append_c(text, *c);
            continue;
        }
        c++;
        append_subject(text, *c == '1' ? first : second);
    }
    return g_string_free(text, FALSE);
}

/* ---- places ---- */

char *wording_at(const char *prompt, enum place place)
{
    GString *text = begin_with_lead(prompt);

    append_subject(text, prompt);
    g_string_append(text, place_words[place]);
    return g_string_free(text, FALSE);
}

// where a text says that something is there; NULL: nowhere
static const char *find_place(const char *text, enum place place)
{
    const char *words = place_words[place];
    const char *at = strstr(text, words);

    while (at != NULL && g_ascii_isalnum(at[strlen(words)])) {
        at = strstr(at + 1, words);
    }
    return at;
}

bool wording_has_place(const char *prompt)
{
    for (gsize i = 0; i < G_N_ELEMENTS(place_words); i++) {
        if (find_place(prompt, (enum place)i) != NULL) {
            return true;
        }
    }
    return false;
}

// behind what joins the second thing to the first
static const char *skip_joint(const char *text)
{
    static const char *const joints[] = {"and ", "with "};

    text += strspn(text, " ,;");
    for (gsize i = 0; i < G_N_ELEMENTS(joints); i++) {
        if (g_str_has_prefix(text, joints[i])) {
            text += strlen(joints[i]);
        }
    }
    return text + strspn(text, " ");
}

static struct wording_place take_place(const char *text, const char *at, enum place place)
{
    const size_t length = (size_t)(at - text);

    return (struct wording_place){.place = place,
                                  .text = g_strndup(text, length + strlen(place_words[place])),
                                  .length = length};
}

bool wording_two_places(const char *prompt, struct wording_place found[2])
{
    const char *subject = wording_subject(prompt);

    for (int i = PLACE_LEFT; i <= PLACE_TOP; i += PLACE_TOP - PLACE_LEFT) {
        const char *one = find_place(subject, (enum place)i);
        const char *other = find_place(subject, (enum place)(i + 1));
        if (one == NULL || other == NULL) {
            continue;
        }
        const int first = one < other ? i : i + 1, second = one < other ? i + 1 : i;
        const char *end = MIN(one, other), *next = skip_joint(end + strlen(place_words[first]));
        if (end > subject && MAX(one, other) > next) {
            found[0] = take_place(subject, end, (enum place)first);
            found[1] = take_place(next, MAX(one, other), (enum place)second);
            return true;
        }
    }
    return false;
}

char *wording_list(const char *const *prompts, int n)
{
    GString *text = begin_with_lead(prompts[0]);

    for (int i = 0; i < n; i++) {
        g_string_append(text, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        append_subject(text, prompts[i]);
    }
    return g_string_free(text, FALSE);
}
