/* A list of places; see dialog_places.h. */
#include "plugin/dialog_places.h"

#include "plugin/spot.h"

#include <string.h>

#define WIDTH 150 // pixels

struct places {
    host_image image;
    GPtrArray *names; // char *, one a line; "" for none
};

static void free_places(struct places *p)
{
    g_ptr_array_unref(p->names);
    g_free(p);
}

static struct places *places_of(GtkWidget *places)
{
    return g_object_get_data(G_OBJECT(places), "svdiff-places");
}

static void add(GtkWidget *places, const char *name, const char *label)
{
    g_ptr_array_add(places_of(places)->names, g_strdup(name));
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(places), label);
}

static void add_place(GtkWidget *places, const char *name)
{
    g_autofree char *label = spot_label(places_of(places)->image, name);

    add(places, name, label);
}

// names of layers can be long
static void keep_narrow(GtkWidget *places)
{
    GList *cells = gtk_cell_layout_get_cells(GTK_CELL_LAYOUT(places));

    // the one cell that a list of texts has
    g_object_set(cells->data, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
    g_list_free(cells);
    gtk_widget_set_size_request(places, WIDTH, -1);
}

GtkWidget *dialog_places_new(host_image image, const char *none)
{
    GtkWidget *places = gtk_combo_box_text_new();
    struct places *p = g_new0(struct places, 1);
    g_auto(GStrv) names = spot_names(image);

    *p = (struct places){image, g_ptr_array_new_with_free_func(g_free)};
    g_object_set_data_full(G_OBJECT(places), "svdiff-places", p, (GDestroyNotify)free_places);
    if (none != NULL) {
        add(places, "", none);
    }
    for (char **name = names; *name != NULL; name++) {
        add_place(places, *name);
    }
    gtk_combo_box_set_active(GTK_COMBO_BOX(places), 0);
    keep_narrow(places);
    return places;
}

// a place that a script named, or that is gone, is shown as it was written
void dialog_places_set(GtkWidget *places, const char *name)
{
    const GPtrArray *names = places_of(places)->names;
    guint i = 0;

    while (i < names->len && strcmp(names->pdata[i], name) != 0) {
        i++;
    }
    if (i == names->len) {
        add_place(places, name);
    }
    gtk_combo_box_set_active(GTK_COMBO_BOX(places), (int)i);
}

const char *dialog_places_get(GtkWidget *places)
{
    const int i = gtk_combo_box_get_active(GTK_COMBO_BOX(places));

    return i >= 0 ? places_of(places)->names->pdata[i] : "";
}
