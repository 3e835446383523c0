/* Choosing among layers that were made; see dialog_gallery.h. A layer may be gone at any time: the
 * person undoes in the image's window while the dialog is open. */
#include "plugin/dialog_gallery.h"

#include "plugin/dialog_preview.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#define THUMBNAIL_SIDE 72 // pixels
#define WIDTH          256
#define HEIGHT         180

enum { COLUMN_PICTURE, COLUMN_NAME, COLUMN_LAYER, N_COLUMNS };

struct dialog_gallery {
    GtkListStore *store;
    GtkWidget *preview, *box, *view, *keep;
};

/* ---- what is chosen ---- */

static host_item layer_at(const struct dialog_gallery *g, GtkTreePath *path)
{
    GtkTreeIter row;
    int layer = HOST_NONE;

    if (gtk_tree_model_get_iter(GTK_TREE_MODEL(g->store), &row, path)) {
        gtk_tree_model_get(GTK_TREE_MODEL(g->store), &row, COLUMN_LAYER, &layer, -1);
    }
    return layer;
}

static void show_large(const struct dialog_gallery *g, GtkTreePath *path)
{
    const host_item layer = layer_at(g, path);
    int side;

    gtk_widget_get_size_request(g->preview, &side, NULL);
    if (host_layer_exists(layer)) {
        g_autoptr(GdkPixbuf) p = toolkit_thumbnail(layer, side);
        dialog_preview_set(g->preview, p);
    }
}

static void on_choice(GtkIconView *view, void *user)
{
    struct dialog_gallery *g = user;
    GList *chosen = gtk_icon_view_get_selected_items(view);
    const int n = (int)g_list_length(chosen);

    if (chosen != NULL) {
        show_large(g, chosen->data); // the one that was added last to the choice
    }
    gtk_widget_set_sensitive(
        g->keep, n > 0 && n < gtk_tree_model_iter_n_children(GTK_TREE_MODEL(g->store), NULL));
    g_list_free_full(chosen, (GDestroyNotify)gtk_tree_path_free);
}

/* ---- taking out ---- */

// in one undo step as long as they are of one image
static void take_out(host_item layer, host_image *image)
{
    if (!host_layer_exists(layer)) {
        return;
    }
    const host_image its = host_image_of(layer);
    if (*image != its) {
        if (*image != HOST_NONE) {
            host_undo_end(*image);
        }
        host_undo_begin(its);
        *image = its;
    }
    host_remove(layer);
}

static bool is_chosen(const struct dialog_gallery *g, GtkTreeIter *row)
{
    GtkTreePath *path = gtk_tree_model_get_path(GTK_TREE_MODEL(g->store), row);
    const bool chosen = gtk_icon_view_path_is_selected(GTK_ICON_VIEW(g->view), path);

    gtk_tree_path_free(path);
    return chosen;
}

static void on_keep(GtkButton *button, void *user)
{
    struct dialog_gallery *g = user;
    GtkTreeModel *model = GTK_TREE_MODEL(g->store);
    host_image image = HOST_NONE;
    GtkTreeIter row;
    bool more = gtk_tree_model_get_iter_first(model, &row);

    while (more) {
        int layer;
        gtk_tree_model_get(model, &row, COLUMN_LAYER, &layer, -1);
        if (is_chosen(g, &row)) {
            more = gtk_tree_model_iter_next(model, &row);
        } else {
            take_out(layer, &image);
            more = gtk_list_store_remove(g->store, &row);
        }
    }
    if (image != HOST_NONE) {
        host_undo_end(image);
    }
    host_flush();
    gtk_widget_set_sensitive(g->keep, FALSE);
    toolkit_tell("gallery: %d kept", gtk_tree_model_iter_n_children(model, NULL));
}

/* ---- making ---- */

static GtkWidget *make_view(struct dialog_gallery *g)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    g->view = gtk_icon_view_new_with_model(GTK_TREE_MODEL(g->store));
    gtk_icon_view_set_pixbuf_column(GTK_ICON_VIEW(g->view), COLUMN_PICTURE);
    gtk_icon_view_set_tooltip_column(GTK_ICON_VIEW(g->view), COLUMN_NAME);
    gtk_icon_view_set_selection_mode(GTK_ICON_VIEW(g->view), GTK_SELECTION_MULTIPLE);
    gtk_icon_view_set_item_padding(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_spacing(GTK_ICON_VIEW(g->view), 0);
    gtk_icon_view_set_margin(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_column_spacing(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_row_spacing(GTK_ICON_VIEW(g->view), 2);
    g_signal_connect(g->view, "selection-changed", G_CALLBACK(on_choice), g);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scrolled), GTK_SHADOW_IN);
    gtk_widget_set_size_request(scrolled, WIDTH, HEIGHT);
    gtk_container_add(GTK_CONTAINER(scrolled), g->view);
    return scrolled;
}

struct dialog_gallery *dialog_gallery_new(GtkWidget *preview)
{
    struct dialog_gallery *g = g_new0(struct dialog_gallery, 1);
    GtkWidget *label = toolkit_label(_("_Variants:"));

    g->store = gtk_list_store_new(N_COLUMNS, GDK_TYPE_PIXBUF, G_TYPE_STRING, G_TYPE_INT);
    g->preview = preview;
    g->box = toolkit_column(6);
    g->keep = gtk_button_new_with_mnemonic(_("_Keep Chosen"));
    gtk_widget_set_tooltip_text(
        g->keep, _("The layers of the other pictures are taken out of the image, in one step that "
                   "can be undone. Ctrl and a click, or Ctrl and the space bar, chooses several."));
    gtk_box_pack_start(GTK_BOX(g->box), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(g->box), make_view(g), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(g->box), g->keep, FALSE, FALSE, 0);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), g->view);
    gtk_widget_set_sensitive(g->keep, FALSE);
    g_signal_connect(g->keep, "clicked", G_CALLBACK(on_keep), g);
    gtk_widget_show_all(g->box);
    gtk_widget_hide(g->box);
    gtk_widget_set_no_show_all(g->box, TRUE);
    return g;
}

void dialog_gallery_free(struct dialog_gallery *g)
{
    g_object_unref(g->store);
    g_free(g);
}

GtkWidget *dialog_gallery_widget(const struct dialog_gallery *g)
{
    return g->box;
}

static void add(struct dialog_gallery *g, host_item layer, GtkTreeIter *row)
{
    g_autofree char *name = host_item_name(layer);
    g_autofree char *markup = g_markup_escape_text(name, -1);
    g_autoptr(GdkPixbuf) picture = toolkit_thumbnail(layer, THUMBNAIL_SIDE);

    gtk_list_store_insert_with_values(g->store, row, -1, COLUMN_PICTURE, picture, COLUMN_NAME,
                                      markup, COLUMN_LAYER, layer, -1);
}

void dialog_gallery_add(struct dialog_gallery *g, const struct call_result *made)
{
    const int before = gtk_tree_model_iter_n_children(GTK_TREE_MODEL(g->store), NULL);
    GtkTreePath *first = gtk_tree_path_new_from_indices(before, -1);
    GtkTreeIter row;

    for (int i = 0; i < made->n_layers; i++) {
        add(g, made->layers[i], &row);
    }
    gtk_widget_show(g->box);
    gtk_icon_view_unselect_all(GTK_ICON_VIEW(g->view));
    gtk_icon_view_select_path(GTK_ICON_VIEW(g->view), first);
    gtk_icon_view_set_cursor(GTK_ICON_VIEW(g->view), first, NULL, FALSE);
    gtk_icon_view_scroll_to_path(GTK_ICON_VIEW(g->view), first, FALSE, 0, 0);
    gtk_tree_path_free(first);
    toolkit_tell("gallery: %d pictures", before + made->n_layers);
}
