/* Rows of things and their places; see dialog_rows.h. */
#include "plugin/dialog_rows.h"

#include "plugin/dialog_map.h"
#include "plugin/dialog_places.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/spot.h"
#include "plugin/words.h"

#define SWATCH_WIDTH 8
#define WORDS_WIDTH  16 // characters that are seen at least
#define ROWS_SEEN    2  // the others are scrolled to
#define ROW_HEIGHT   35

/* ---- one row ---- */

static void paint_swatch(cairo_t *cr, int width, int height, void *user)
{
    double colour[3];

    dialog_map_colour(GPOINTER_TO_INT(user), colour);
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_paint(cr);
}

// GTK tells of every change, also of those that the program makes
static void on_change(struct dialog_rows *r)
{
    if (!r->writing) {
        r->changed(r->user);
    }
}

// number: of the colour
static struct dialog_row make_row(struct dialog_rows *r, int number)
{
    GtkWidget *swatch =
        toolkit_canvas(SWATCH_WIDTH, ROW_PICTURE_SIDE, paint_swatch, GINT_TO_POINTER(number));
    struct dialog_row row = {.picture = gtk_image_new(),
                             .words = toolkit_entry(WORDS_WIDTH),
                             .place = dialog_places_new(r->chosen->image, r->none)};

    gtk_widget_set_no_show_all(row.picture, TRUE);
    gtk_widget_set_tooltip_text(row.words, _("What is there, in a few words: a fox."));
    gtk_widget_set_tooltip_text(row.place, _("Where it goes."));
    row.box = toolkit_row(6, swatch, row.picture, toolkit_grows(row.words), row.place, NULL);
    g_signal_connect_swapped(row.words, "changed", G_CALLBACK(on_change), r);
    g_signal_connect_swapped(row.place, "changed", G_CALLBACK(on_change), r);
    return row;
}

const char *dialog_row_words(const struct dialog_row *row)
{
    return toolkit_text(row->words);
}

const char *dialog_row_place(const struct dialog_row *row)
{
    return dialog_places_get(row->place);
}

/* ---- all of them ---- */

void dialog_rows_init(struct dialog_rows *r, const struct call *chosen, const char *none,
                      void (*changed)(void *user), void *user)
{
    *r = (struct dialog_rows){.chosen = chosen, .none = none, .changed = changed, .user = user};
    r->list = g_array_new(FALSE, FALSE, sizeof(struct dialog_row));
    r->names = spot_names(chosen->image);
    r->column = toolkit_column(4, NULL);
    r->scrolled = toolkit_scrolled(r->column);
    r->map = dialog_map_new(chosen);
    gtk_widget_set_tooltip_text(r->map, _("The image with the places, each in its row's colour."));
}

void dialog_rows_finish(struct dialog_rows *r)
{
    g_array_unref(r->list);
    g_strfreev(r->names);
}

const struct dialog_row *dialog_rows_at(const struct dialog_rows *r, guint i)
{
    return &g_array_index(r->list, struct dialog_row, i);
}

struct dialog_row *dialog_rows_add(struct dialog_rows *r, const char *words, const char *place)
{
    const struct dialog_row row = make_row(r, (int)r->list->len);

    g_array_append_val(r->list, row);
    dialog_rows_say(r, r->list->len - 1, words, place);
    toolkit_add(r->column, row.box, NULL);
    gtk_widget_show_all(row.box);
    return &g_array_index(r->list, struct dialog_row, r->list->len - 1);
}

// names may have come and gone in the image: rows that are made now offer what there is
void dialog_rows_clear(struct dialog_rows *r)
{
    for (guint i = 0; i < r->list->len; i++) {
        gtk_widget_destroy(dialog_rows_at(r, i)->box);
    }
    g_array_set_size(r->list, 0);
    g_strfreev(r->names);
    r->names = spot_names(r->chosen->image);
}

bool dialog_rows_are_old(const struct dialog_rows *r)
{
    g_auto(GStrv) names = spot_names(r->chosen->image);

    return !g_strv_equal((const char *const *)names, (const char *const *)r->names);
}

void dialog_rows_say(struct dialog_rows *r, guint i, const char *words, const char *place)
{
    const struct dialog_row *row = dialog_rows_at(r, i);

    dialog_rows_write(r, row->words, words);
    r->writing = true;
    dialog_places_set(row->place, place);
    r->writing = false;
}

void dialog_rows_write(struct dialog_rows *r, GtkWidget *entry, const char *text)
{
    r->writing = true;
    toolkit_set_text(entry, text);
    r->writing = false;
}

/* The image is looked at anew each time: a person paints in it, selects, moves layers while the
 * dialog is open. */
void dialog_rows_show(const struct dialog_rows *r)
{
    const int seen = MIN((int)r->list->len, ROWS_SEEN);

    gtk_widget_set_size_request(r->scrolled, -1, ROW_HEIGHT * seen + 4);
    dialog_map_clear(r->map);
    for (guint i = 0; i < r->list->len; i++) {
        const struct dialog_row *row = dialog_rows_at(r, i);
        dialog_map_add(r->map, dialog_row_place(row), dialog_row_words(row), (int)i);
    }
}
