/* Rows of places; see dialog_regions.h. The entry is what counts: rows are made from it, and what
 * is changed in them is written into it; a row without words is not. */
#include "plugin/dialog_regions.h"

#include "plugin/beginning.h"
#include "plugin/dialog_rows.h"
#include "plugin/dialog_squares.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/info.h"
#include "plugin/region_list.h"
#include "plugin/spot.h"
#include "plugin/words.h"

#include <string.h>

struct regions {
    const struct call *chosen;
    struct dialog_rows rows; // owned; its widgets are in the box
    GtkWidget *entry, *subjects;
};

static void free_regions(struct regions *r)
{
    dialog_rows_finish(&r->rows);
    g_free(r);
}

/* ---- what they say ---- */

// an = without words behind it would be refused when the list is read
static bool says_something(const char *text)
{
    return text[strspn(text, " \t")] != '\0';
}

// the entry's text for the rows; g_free it
static char *write_list(const struct regions *r)
{
    g_autoptr(GArray) regions = g_array_new(FALSE, FALSE, sizeof(struct region));

    for (guint i = 0; i < r->rows.list->len; i++) {
        const struct dialog_row *row = dialog_rows_at(&r->rows, i);
        // borrowed: regions_join only reads them
        const struct region region = {(char *)dialog_row_place(row), (char *)dialog_row_words(row)};
        if (says_something(region.text)) {
            g_array_append_val(regions, region);
        }
    }
    return regions_join(regions);
}

// the small picture of the subject that the words are about
static void show_picture(const struct regions *r, const struct dialog_row *row)
{
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) things = beginning_list(toolkit_text(r->subjects), &files);
    g_autoptr(GdkPixbuf) small = NULL;

    for (int i = 0; things[i] != NULL && small == NULL; i++) {
        // other words are about no subject, or about several
        if (g_ascii_strcasecmp(things[i], dialog_row_words(row)) == 0) {
            small = info_preview(info_of(files[i]));
        }
    }
    dialog_squares_show(row->picture, small, ROW_PICTURE_SIDE);
    gtk_widget_set_visible(row->picture, small != NULL);
}

static void show(const struct regions *r)
{
    for (guint i = 0; i < r->rows.list->len; i++) {
        show_picture(r, dialog_rows_at(&r->rows, i));
    }
    gtk_widget_set_visible(r->rows.map, r->rows.list->len > 0);
    gtk_widget_set_visible(r->rows.scrolled, r->rows.list->len > 0);
    dialog_rows_show(&r->rows);
}

static void on_row(void *user)
{
    struct regions *r = user;
    g_autofree char *list = write_list(r);

    dialog_rows_write(&r->rows, r->entry, list);
    toolkit_tell("regions: %s", list);
    show(r);
}

/* ---- rows ---- */

static void on_entry(struct regions *r);

// a row that says nothing is not in the list, from which the others are made anew, in their colours
static void on_remove(struct regions *r, GtkWidget *button)
{
    dialog_rows_write(&r->rows, g_object_get_data(G_OBJECT(button), "svdiff-words"), "");
    g_autofree char *list = write_list(r);
    dialog_rows_write(&r->rows, r->entry, list);
    on_entry(r);
}

static const struct dialog_row *make_row(struct regions *r, const char *place, const char *words)
{
    const struct dialog_row *row = dialog_rows_add(&r->rows, words, place);
    GtkWidget *remove = toolkit_button("−", _("Takes this place away."), G_CALLBACK(on_remove), r);

    // the entry, as numbers of rows change
    g_object_set_data(G_OBJECT(remove), "svdiff-words", row->words);
    toolkit_add(row->box, remove, NULL);
    gtk_widget_show(remove);
    return row;
}

static void on_entry(struct regions *r)
{
    // our own writing of the entry comes back here
    if (r->rows.writing) {
        return;
    }
    dialog_rows_clear(&r->rows);
    // NULL: a person writes the list by hand and is not done
    g_autoptr(GArray) regions = regions_parse(toolkit_text(r->entry), r->rows.names, NULL);
    for (guint i = 0; regions != NULL && i < regions->len; i++) {
        const struct region *region = &g_array_index(regions, struct region, i);
        make_row(r, region->place, region->text);
    }
    toolkit_tell("regions: %s", toolkit_text(r->entry));
    show(r);
}

// NULL: either is not asked for
static bool is_taken(const struct regions *r, const char *place, const char *words)
{
    for (guint i = 0; i < r->rows.list->len; i++) {
        const struct dialog_row *row = dialog_rows_at(&r->rows, i);
        if ((place != NULL && strcmp(dialog_row_place(row), place) == 0) ||
            (words != NULL && strcmp(dialog_row_words(row), words) == 0)) {
            return true;
        }
    }
    return false;
}

// the next ticked subject in the next place
static void on_add(struct regions *r)
{
    g_auto(GStrv) places = spot_names(r->chosen->image);
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) things = beginning_list(toolkit_text(r->subjects), &files);
    char **place = places, **thing = things;

    // there is always one; the last is taken twice
    while (place[1] != NULL && is_taken(r, *place, NULL)) {
        place++;
    }
    while (*thing != NULL && is_taken(r, NULL, *thing)) {
        thing++;
    }
    const struct dialog_row *row = make_row(r, *place, *thing != NULL ? *thing : "");
    // also without words: the map shows the place
    on_row(r);
    gtk_widget_grab_focus(row->words);
}

/* ---- making ---- */

// channels and layers are made and named while the dialog is open
void dialog_regions_renew(GtkWidget *entry)
{
    struct regions *r = g_object_get_data(G_OBJECT(entry), "svdiff-regions");

    if (dialog_rows_are_old(&r->rows)) {
        on_entry(r);
    } else if (r->rows.list->len > 0) {
        dialog_rows_show(&r->rows); // the image may have been worked on
    }
}

GtkWidget *dialog_regions_new(const struct call *chosen, GtkWidget *entry, GtkWidget *subjects)
{
    struct regions *r = g_new0(struct regions, 1);
    GtkWidget *add = toolkit_button(_("Put Something _in a Place"),
                                    _("One half for each of two subjects, or a channel, a layer or "
                                      "the selection."),
                                    G_CALLBACK(on_add), r);

    *r = (struct regions){.chosen = chosen, .entry = entry, .subjects = subjects};
    dialog_rows_init(&r->rows, chosen, NULL, on_row, r);
    toolkit_hidden(r->rows.map); // there only with a row
    toolkit_hidden(r->rows.scrolled);
    GtkWidget *line = toolkit_row(6, add, toolkit_hidden(entry), NULL);
    GtkWidget *column = toolkit_column(4, r->rows.scrolled, line, NULL);
    GtkWidget *box = toolkit_row(12, r->rows.map, toolkit_grows(column), NULL);
    on_entry(r);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_entry), r);
    g_object_set_data(G_OBJECT(entry), "svdiff-regions", r);
    g_object_set_data_full(G_OBJECT(box), "svdiff-regions", r, (GDestroyNotify)free_regions);
    return box;
}
