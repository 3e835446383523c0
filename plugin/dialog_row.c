/* A row of a thing and its place; see dialog_row.h. */
#include "plugin/dialog_row.h"

#include "plugin/dialog_map.h"
#include "plugin/dialog_places.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#define SWATCH_WIDTH 8
#define WORDS_WIDTH  16 // characters that are seen at least

static void paint_swatch(cairo_t *cr, int width, int height, void *user)
{
    double colour[3];

    dialog_map_colour(GPOINTER_TO_INT(user), colour);
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_paint(cr);
}

void dialog_row_init(struct dialog_row *row, int number, host_image image, const char *none,
                     void (*changed)(void *user), void *user)
{
    GtkWidget *swatch =
        toolkit_canvas(SWATCH_WIDTH, ROW_PICTURE_SIDE, paint_swatch, GINT_TO_POINTER(number));

    row->box = toolkit_row(6);
    row->picture = gtk_image_new();
    row->words = gtk_entry_new();
    row->place = dialog_places_new(image, none);
    gtk_widget_set_no_show_all(row->picture, TRUE);
    gtk_entry_set_width_chars(GTK_ENTRY(row->words), WORDS_WIDTH);
    gtk_entry_set_activates_default(GTK_ENTRY(row->words), TRUE);
    gtk_widget_set_tooltip_text(row->words, _("What is there, in a few words: a fox."));
    gtk_widget_set_tooltip_text(row->place, _("Where it goes."));
    gtk_box_pack_start(GTK_BOX(row->box), swatch, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row->box), row->picture, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row->box), row->words, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row->box), row->place, FALSE, FALSE, 0);
    g_signal_connect_swapped(row->words, "changed", G_CALLBACK(changed), user);
    g_signal_connect_swapped(row->place, "changed", G_CALLBACK(changed), user);
}

const char *dialog_row_words(const struct dialog_row *row)
{
    return gtk_entry_get_text(GTK_ENTRY(row->words));
}
