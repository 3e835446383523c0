/* Showing where a call is; see watch.h. */
#include "plugin/watch.h"

#include "plugin/words.h"

#include <string.h>

#define PAUSE_US 100000

double watch_fraction(const struct call_progress *p)
{
    return p->steps > 0 ? CLAMP((double)p->step / p->steps, 0.0, 1.0) : -1;
}

void watch_progress(struct watch *w, const struct call_progress *p)
{
    const int64_t now = g_get_monotonic_time();

    // each is a call to GIMP, which draws: more than ten a second only slow the work
    if (now - w->told >= PAUSE_US) {
        w->told = now;
        host_progress(watch_fraction(p));
    }
}

// what the worker calls it in the language of the user; a phase that is new here as it is
static const char *phase_name(const char *phase)
{
    static const char *const names[] = {N_("start"),    N_("spectrum"), N_("base"),  N_("learn"),
                                        N_("generate"), N_("edit"),     N_("write"), N_("encode"),
                                        N_("sample"),   N_("fit")};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(phase, names[i]) == 0) {
            return _(names[i]);
        }
    }
    return phase;
}

char *watch_line(const struct call_progress *p)
{
    GString *line = g_string_new(phase_name(p->phase));
    // below a hundred hours, so that the text keeps its width
    const int seconds = (int)CLAMP(p->seconds_left, 0, 359999);

    if (p->steps > 0) {
        g_string_append_printf(line, _(" %d of %d"), p->step, p->steps);
    }
    if (p->loss >= 0) {
        g_string_append_printf(line, _(", loss %.4f"), p->loss);
    }
    if (p->seconds_left >= 0) {
        g_string_append_printf(line, _(", %d:%02d left"), seconds / 60, seconds % 60);
    }
    return g_string_free(line, FALSE);
}
