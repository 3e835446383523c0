/* The settings of each effort; see effort.h. A share is of what the model's default is, because a
 * model knows how many steps of which rate it needs; the figures that they were chosen by are in
 * resources/FIGURES.md, with what was tried besides.
 *
 * Quick learns in three tenths of the steps, at twice the rate, which falls to 0, as few steps want
 * it: a full rate would throw the shifts about until the last one. The word for [V], if it learns,
 * learns faster still: it is what moves with least harm to all else. Thorough does the same in all of
 * the steps, and keeps the class in each. How many pictures there are decides nothing: more of them
 * need no more steps. */
#include "engine/session/effort.h"

#include "engine/options/option.h"

#include <math.h>

struct setting {
    const char *option;
    bool share; // of the default, else the value itself
    double quick, thorough;
};

static const struct setting settings[] = {
    {"steps", true, 0.3, 1},
    {"learning-rate", true, 2, 2},
    {"learning-rate-1d", true, 2, 2},
    {"placeholder-rate", true, 10, 10},
    {"schedule", false, SVDIFF_RATE_LINEAR, SVDIFF_RATE_LINEAR},
    {"prior-every", false, 8, 1},
};

// of the effort, and one that the option may have
static double setting_value(const struct setting *s, const struct option *o,
                            enum svdiff_effort effort, double standard)
{
    const double setting = effort == SVDIFF_EFFORT_QUICK ? s->quick : s->thorough;
    const double value = s->share ? setting * standard : setting;

    // the range of a choice is its words
    return o->kind == OPTION_INT      ? CLAMP(round(value), o->low, o->high)
           : o->kind == OPTION_NUMBER ? MIN(value, o->high)
                                      : value;
}

void effort_choose(struct svdiff_learn_options *o)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings) && o->effort != SVDIFF_EFFORT_NORMAL; i++) {
        const struct option *one = option_find(&options_of_learn, settings[i].option);
        option_set(one, o, setting_value(&settings[i], one, o->effort, option_get(one, o)));
    }
}

char *effort_text(const struct svdiff_learn_options *o)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const struct option *one = option_find(&options_of_learn, settings[i].option);
        if (!option_of_method(&options_of_learn, one, o)) {
            continue;
        }
        g_autofree char *value = option_text(one, o);
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        // as a person would write it, where a file keeps all digits; the point in every locale
        g_ascii_formatd(number, sizeof number, "%g", option_get(one, o));
        g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", one->name,
                               one->kind == OPTION_NUMBER ? number : value);
    }
    return g_string_free(text, FALSE);
}
