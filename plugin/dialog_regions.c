/* Rows of places; see dialog_regions.h. The entry is what counts: rows are made from it, and what
 * is changed in them is written into it; a row without words is not. */
#include "plugin/dialog_regions.h"

#include "plugin/beginning.h"
#include "plugin/dialog_map.h"
#include "plugin/dialog_places.h"
#include "plugin/dialog_row.h"
#include "plugin/dialog_squares.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/info.h"
#include "plugin/region_list.h"
#include "plugin/spot.h"
#include "plugin/words.h"

#include <string.h>

#define ROWS_SEEN  2 // the others are scrolled to
#define ROW_HEIGHT 35

struct regions {
    const struct call *chosen;
    GtkWidget *entry, *subjects;
    GtkWidget *rows, *scrolled, *map;
    GArray *list; // struct dialog_row
    char **names; // of the places that can be chosen
    bool writing; // one of the two into the other
};

static void free_regions(void *data)
{
    struct regions *r = data;

    g_array_unref(r->list);
    g_strfreev(r->names);
    g_free(r);
}

static struct dialog_row *row_at(const struct regions *r, guint i)
{
    return &g_array_index(r->list, struct dialog_row, i);
}

/* ---- what they say ---- */

static bool says_something(const char *text)
{
    return text[strspn(text, " \t")] != '\0';
}

// the entry's text for the rows; g_free it
static char *write_list(const struct regions *r)
{
    g_autoptr(GArray) regions = g_array_new(FALSE, FALSE, sizeof(struct region));

    for (guint i = 0; i < r->list->len; i++) {
        const struct dialog_row *row = row_at(r, i);
        const struct region region = {(char *)dialog_places_get(row->place),
                                      (char *)dialog_row_words(row)};
        if (says_something(region.text)) {
            g_array_append_val(regions, region);
        }
    }
    return regions_join(regions);
}

static void show_map(const struct regions *r)
{
    g_autofree const char **places = g_new(const char *, r->list->len + 1);
    g_autofree const char **texts = g_new(const char *, r->list->len + 1);

    for (guint i = 0; i < r->list->len; i++) {
        places[i] = dialog_places_get(row_at(r, i)->place);
        texts[i] = dialog_row_words(row_at(r, i));
    }
    dialog_map_show(r->map, places, texts, (int)r->list->len);
}

// the small picture of the subject that the words are about
static void show_picture(const struct regions *r, const struct dialog_row *row)
{
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) things = beginning_list(gtk_entry_get_text(GTK_ENTRY(r->subjects)), &files);
    g_autoptr(GdkPixbuf) small = NULL;

    for (int i = 0; things[i] != NULL && small == NULL; i++) {
        if (g_ascii_strcasecmp(things[i], dialog_row_words(row)) == 0) {
            small = info_preview(info_of(files[i]));
        }
    }
    dialog_squares_show(row->picture, small, ROW_PICTURE_SIDE);
    gtk_widget_set_visible(row->picture, small != NULL);
}

static void show(const struct regions *r)
{
    for (guint i = 0; i < r->list->len; i++) {
        show_picture(r, row_at(r, i));
    }
    gtk_widget_set_visible(r->map, r->list->len > 0);
    gtk_widget_set_visible(r->scrolled, r->list->len > 0);
    gtk_widget_set_size_request(r->scrolled, -1,
                                ROW_HEIGHT * MIN((int)r->list->len, ROWS_SEEN) + 4);
    show_map(r);
}

static void on_row(void *user)
{
    struct regions *r = user;

    if (r->writing) {
        return;
    }
    g_autofree char *list = write_list(r);
    r->writing = true;
    gtk_entry_set_text(GTK_ENTRY(r->entry), list);
    r->writing = false;
    toolkit_tell("regions: %s", list);
    show(r);
}

/* ---- rows ---- */

static void on_remove(GtkButton *button, void *user)
{
    struct regions *r = user;
    GtkWidget *box = g_object_get_data(G_OBJECT(button), "svdiff-row");

    for (guint i = 0; i < r->list->len; i++) {
        if (row_at(r, i)->box == box) {
            g_array_remove_index(r->list, i);
            break;
        }
    }
    g_autofree char *list = write_list(r);
    gtk_entry_set_text(GTK_ENTRY(r->entry), ""); // made anew, in their colours
    gtk_entry_set_text(GTK_ENTRY(r->entry), list);
    toolkit_tell("regions: %s", list);
}

static struct dialog_row *make_row(struct regions *r, const char *place, const char *words)
{
    struct dialog_row row;
    GtkWidget *remove = gtk_button_new_with_label("−");

    r->writing = true;
    dialog_row_init(&row, (int)r->list->len, r->chosen->image, NULL, on_row, r);
    dialog_places_set(row.place, place);
    gtk_entry_set_text(GTK_ENTRY(row.words), words);
    gtk_widget_set_tooltip_text(remove, _("Takes this place away."));
    g_object_set_data(G_OBJECT(remove), "svdiff-row", row.box);
    g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), r);
    gtk_box_pack_start(GTK_BOX(row.box), remove, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(r->rows), row.box, FALSE, FALSE, 0);
    gtk_widget_show_all(row.box);
    g_array_append_val(r->list, row);
    r->writing = false;
    return row_at(r, r->list->len - 1);
}

static void on_entry(GtkEditable *entry, void *user)
{
    struct regions *r = user;
    g_autoptr(GArray) regions = NULL;

    if (r->writing) {
        return;
    }
    g_strfreev(r->names);
    r->names = spot_names(r->chosen->image);
    for (guint i = 0; i < r->list->len; i++) {
        gtk_widget_destroy(row_at(r, i)->box);
    }
    g_array_set_size(r->list, 0);
    regions = regions_parse(gtk_entry_get_text(GTK_ENTRY(r->entry)), r->names, NULL);
    for (guint i = 0; regions != NULL && i < regions->len; i++) {
        const struct region *region = &g_array_index(regions, struct region, i);
        make_row(r, region->place, region->text);
    }
    toolkit_tell("regions: %s", gtk_entry_get_text(GTK_ENTRY(r->entry)));
    show(r);
}

static bool is_taken(const struct regions *r, const char *place, const char *words)
{
    for (guint i = 0; i < r->list->len; i++) {
        const struct dialog_row *row = row_at(r, i);
        if ((place != NULL && strcmp(dialog_places_get(row->place), place) == 0) ||
            (words != NULL && strcmp(dialog_row_words(row), words) == 0)) {
            return true;
        }
    }
    return false;
}

// the next ticked subject in the next place
static void on_add(GtkButton *button, void *user)
{
    struct regions *r = user;
    g_auto(GStrv) places = spot_names(r->chosen->image);
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) things = beginning_list(gtk_entry_get_text(GTK_ENTRY(r->subjects)), &files);
    char **place = places, **thing = things;

    while (place[1] != NULL && is_taken(r, *place, NULL)) {
        place++;
    }
    while (*thing != NULL && is_taken(r, NULL, *thing)) {
        thing++;
    }
    const struct dialog_row *row = make_row(r, *place, *thing != NULL ? *thing : "");
    on_row(r);
    gtk_widget_grab_focus(row->words);
}

/* ---- making ---- */

// what there is only with a row
static void hide(GtkWidget *widget)
{
    gtk_widget_show_all(widget);
    gtk_widget_hide(widget);
    gtk_widget_set_no_show_all(widget, TRUE);
}

static void make_rows(struct regions *r)
{
    r->rows = toolkit_column(4);
    r->scrolled = gtk_scrolled_window_new(NULL, NULL);
    r->map = dialog_map_new(r->chosen);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(r->scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    toolkit_add_scrolled(r->scrolled, r->rows);
    gtk_widget_set_tooltip_text(r->map, _("The image with the places, each in its row's colour."));
    hide(r->map);
    hide(r->scrolled);
}

void dialog_regions_renew(GtkWidget *entry)
{
    struct regions *r = g_object_get_data(G_OBJECT(entry), "svdiff-regions");
    g_auto(GStrv) names = spot_names(r->chosen->image);

    if (r->names == NULL ||
        !g_strv_equal((const char *const *)names, (const char *const *)r->names)) {
        on_entry(NULL, r);
    } else if (r->list->len > 0) {
        show_map(r);
    }
}

GtkWidget *dialog_regions_new(const struct call *chosen, GtkWidget *entry, GtkWidget *subjects)
{
    struct regions *r = g_new0(struct regions, 1);
    GtkWidget *box = toolkit_row(12), *column = toolkit_column(4), *line = toolkit_row(6);
    GtkWidget *add = gtk_button_new_with_mnemonic(_("Put Something _in a Place"));

    *r = (struct regions){.chosen = chosen, .entry = entry, .subjects = subjects};
    r->list = g_array_new(FALSE, FALSE, sizeof(struct dialog_row));
    make_rows(r);
    gtk_widget_set_tooltip_text(add,
                                _("One half for each of two subjects, or a channel, a layer or "
                                  "the selection."));
    gtk_widget_set_no_show_all(entry, TRUE);
    gtk_widget_hide(entry);
    gtk_box_pack_start(GTK_BOX(line), add, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), entry, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), r->scrolled, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), line, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), r->map, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), column, TRUE, TRUE, 0);
    g_signal_connect(add, "clicked", G_CALLBACK(on_add), r);
    g_signal_connect(entry, "changed", G_CALLBACK(on_entry), r);
    g_object_set_data(G_OBJECT(entry), "svdiff-regions", r);
    g_object_set_data_full(G_OBJECT(box), "svdiff-regions", r, free_regions);
    return box;
}
