/* One line of progress; see report_line.h. ASCII alone: a terminal under LANG=C shows it too. */
#include "engine/command/report_line.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define BAR_MIN 6
#define BAR_MAX 40

static void append_time(GString *line, double seconds)
{
    // at most 99:59:59, so that the line keeps its width
    const int all = (int)MIN(seconds + 0.5, 359999.0);
    const int hours = all / 3600, minutes = all / 60 % 60;

    if (hours > 0) {
        g_string_append_printf(line, "  %d:%02d:%02d left", hours, minutes, all % 60);
    } else {
        g_string_append_printf(line, "  %d:%02d left", minutes, all % 60);
    }
}

static void append_bar(GString *line, const struct progress *p, int room)
{
    // without the brackets
    const int inside = MIN(room, BAR_MAX) - 2;
    const double done = CLAMP((double)p->step / p->steps, 0.0, 1.0);
    const int full = (int)(done * inside);

    g_string_append(line, " [");
    for (int i = 0; i < inside; i++) {
        g_string_append_c(line, i < full ? '#' : '-');
    }
    g_string_append_c(line, ']');
}

// "learn  12/500": the counter does not jump about
static GString *head_of(const struct progress *p)
{
    GString *line = g_string_new(p->phase ? p->phase : "working");
    g_autofree char *all = g_strdup_printf("%d", p->steps);

    if (p->steps > 0) {
        g_string_append_printf(line, " %*d/%s", (int)strlen(all), p->step, all);
    }
    return line;
}

static GString *tail_of(const struct progress *p)
{
    GString *line = g_string_new(NULL);
    // a point in every language: programs read these lines, too
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (p->loss >= 0 && isfinite(p->loss)) {
        g_ascii_formatd(number, sizeof(number), "%.4f", p->loss);
        g_string_append_printf(line, "  loss %s", number);
    }
    if (p->seconds_left >= 0 && isfinite(p->seconds_left)) {
        append_time(line, p->seconds_left);
    }
    return line;
}

char *report_line(const struct progress *p, int width)
{
    GString *line = head_of(p), *tail = tail_of(p);
    // what numbers leave is the bar's; where that is too little there is none
    const int room = width - (int)line->len - (int)tail->len - 1;

    if (p->steps > 0 && room >= BAR_MIN) {
        append_bar(line, p, room);
    }
    g_string_append(line, tail->str);
    g_string_free(tail, TRUE);
    // a long phase on a narrow terminal: better cut than on two lines
    if (width > 0 && line->len > (gsize)width) {
        g_string_truncate(line, width);
    }
    return g_string_free(line, FALSE);
}
