/* Wordings of prompts for several subjects; see learn_wording.h. */
#include "engine/learn/learn_wording.h"

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

char *wording_list(const char *const *prompts, int n)
{
    GString *text = begin_with_lead(prompts[0]);

    for (int i = 0; i < n; i++) {
        g_string_append(text, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        append_subject(text, prompts[i]);
    }
    return g_string_free(text, FALSE);
}
