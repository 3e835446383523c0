/* The settings of each effort; see effort.h. A share is of what the model's default is, because a
 * model knows how many steps of which rate it needs; the figures that they were chosen by are in
 * resources/FIGURES.md.
 *
 * Quick learns in three tenths of the steps, at twice the rate, which falls to 0, as few steps want
 * it: a full rate would throw the shifts about until the last one. The word for [V], if it learns,
 * learns faster still: it is what moves with least harm to all else. Of more pictures than ENOUGH
 * there is more to learn: their steps grow with their number, up to the normal ones. */
#include "engine/session/effort.h"

#include "engine/options/option.h"

#include <math.h>

#define ENOUGH 4

struct setting {
    const char *option;
    bool share; // of the default, else the value itself
    double quick, thorough;
};

static const struct setting settings[] = {
    {"steps", true, 0.3, 2},
    {"learning-rate", true, 2, 1},
    {"learning-rate-1d", true, 2, 1},
    {"placeholder-rate", true, 10, 1},
    {"schedule", false, SVDIFF_RATE_LINEAR, SVDIFF_RATE_COSINE},
    {"prior-every", false, 8, 1},
};

static double setting_value(const struct setting *s, enum svdiff_effort effort, double standard)
{
    const double value = effort == SVDIFF_EFFORT_QUICK ? s->quick : s->thorough;

    return s->share ? value * standard : value;
}

void effort_choose(struct svdiff_learn_options *o, int pictures)
{
    const int normal = o->steps;

    for (size_t i = 0; i < G_N_ELEMENTS(settings) && o->effort != SVDIFF_EFFORT_NORMAL; i++) {
        const struct option *one = option_find(&options_of_learn, settings[i].option);
        const double value = setting_value(&settings[i], o->effort, option_get(one, o));
        // a share of whole steps is a whole number, and of every number one that may be
        option_set(one, o,
                   one->kind == OPTION_INT      ? MAX(round(value), one->low)
                   : one->kind == OPTION_NUMBER ? MIN(value, one->high)
                                                : value);
    }
    if (o->effort == SVDIFF_EFFORT_QUICK && pictures > ENOUGH) {
        o->steps = MIN((int)((int64_t)o->steps * pictures / ENOUGH), normal);
    }
}

char *effort_text(const struct svdiff_learn_options *o)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const struct option *one = option_find(&options_of_learn, settings[i].option);
        g_autofree char *value = option_text(one, o);
        g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", one->name, value);
    }
    return g_string_free(text, FALSE);
}
