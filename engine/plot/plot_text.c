/* Texts of a figure; see plot_text.h. */
#include "engine/plot/plot_text.h"

#include <glib.h>
#include <string.h>

#define LONG    500  // characters, of which no figure shows more
#define CAPITAL 0.73 // of the font's size: how high its capitals are

// the beginning of a text in the font that has it, shown or not; *width grows by it. Returns what is behind it
static const char *put_run(cairo_t *cr, const char *text, bool show, double *width)
{
    cairo_text_extents_t e;

    cairo_save(cr);
    const size_t bytes = plot_font_choose(cr, text);
    g_autofree char *run = g_strndup(text, bytes);
    cairo_text_extents(cr, run, &e);
    if (show) {
        // the next one begins where this one ends
        cairo_show_text(cr, run);
    }
    cairo_restore(cr);
    *width += e.x_advance;
    return text + bytes;
}

double plot_text_width(cairo_t *cr, const char *text)
{
    double width = 0;

    while (*text != '\0') {
        text = put_run(cr, text, false, &width);
    }
    return width;
}

double plot_text_height(cairo_t *cr)
{
    cairo_matrix_t m;

    cairo_get_font_matrix(cr, &m);
    return CAPITAL * m.yy;
}

// in one line, and not longer than anybody reads
static char *plain(const char *text)
{
    char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);

    for (char *c = valid; *c != '\0'; c++) {
        *c = g_ascii_iscntrl(*c) ? ' ' : *c;
    }
    if (g_utf8_strlen(valid, -1) > LONG) {
        *g_utf8_offset_to_pointer(valid, LONG) = '\0';
    }
    return valid;
}

// its first and last characters, `kept` of them
static char *cut(const char *text, glong length, glong kept)
{
    const char *end = g_utf8_offset_to_pointer(text, (kept + 1) / 2);
    const char *rest = g_utf8_offset_to_pointer(text, length - kept / 2);

    return g_strdup_printf("%.*s…%s", (int)(end - text), text, rest);
}

char *plot_text_fit(cairo_t *cr, const char *text, double width)
{
    g_autofree char *all = plain(text);
    const glong length = g_utf8_strlen(all, -1);
    glong fits = 0, too_many = length;

    if (plot_text_width(cr, all) <= width) {
        return g_steal_pointer(&all);
    }
    while (too_many - fits > 1) {
        const glong kept = (fits + too_many) / 2;
        g_autofree char *shorter = cut(all, length, kept);
        if (plot_text_width(cr, shorter) <= width) {
            fits = kept;
        } else {
            too_many = kept;
        }
    }
    return cut(all, length, fits);
}

double plot_text_widest(cairo_t *cr, const char *const *texts, int n, double most)
{
    double widest = 0;

    for (int i = 0; i < n; i++) {
        g_autofree char *text = plot_text_fit(cr, texts[i], most);
        widest = MAX(widest, plot_text_width(cr, text));
    }
    return widest;
}

void plot_text_put(cairo_t *cr, const char *text, double x, double y, double side, double angle)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, angle);
    cairo_move_to(cr, -side * plot_text_width(cr, text), plot_text_height(cr) / 2);
    for (double width = 0; *text != '\0';) {
        text = put_run(cr, text, true, &width);
    }
    cairo_restore(cr);
}
