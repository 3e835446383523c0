/* Choosing among pictures that were made; see dialog_gallery.h. Another GIMP may throw one away at
 * any time; and in the image's window the person may undo. The small pictures are read one after
 * another when there is nothing else to do. */
#include "plugin/dialog_gallery.h"

#include "plugin/dialog_preview.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/kept_picture.h"
#include "plugin/words.h"

#include <gdk/gdkkeysyms.h>
#include <string.h>

#define THUMBNAIL_SIDE 72 // pixels
#define WIDTH          256
#define HEIGHT         88

enum { COLUMN_PICTURE, COLUMN_NAME, COLUMN_READ, N_COLUMNS };

struct dialog_gallery {
    struct dialog_target *target; // NULL: nothing is shown
    struct dialog_gallery_calls calls;
    char *folder; // NULL: it cannot be used
    GtkListStore *store;
    GtkWidget *preview, *title, *box, *view;
    GtkWidget *apply, *discard, *settings, *keep;
    guint reader; // source that reads the small pictures; 0: none
};

/* ---- rows ---- */

static int count(const struct dialog_gallery *g)
{
    return gtk_tree_model_iter_n_children(GTK_TREE_MODEL(g->store), NULL);
}

// g_free it
static char *name_at(const struct dialog_gallery *g, GtkTreeIter *row)
{
    char *name;

    gtk_tree_model_get(GTK_TREE_MODEL(g->store), row, COLUMN_NAME, &name, -1);
    return name;
}

// the chosen ones, the one that was added last to the choice first; g_strfreev it
static char **chosen(const struct dialog_gallery *g)
{
    GList *paths = gtk_icon_view_get_selected_items(GTK_ICON_VIEW(g->view));
    GPtrArray *names = g_ptr_array_new();
    GtkTreeIter row;

    for (GList *path = paths; path != NULL; path = path->next) {
        if (gtk_tree_model_get_iter(GTK_TREE_MODEL(g->store), &row, path->data)) {
            g_ptr_array_add(names, name_at(g, &row));
        }
    }
    g_list_free_full(paths, (GDestroyNotify)gtk_tree_path_free);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static GdkPixbuf *read_small(const struct dialog_gallery *g, const char *name, int side)
{
    g_autofree char *path = g_build_filename(g->folder, name, NULL);

    return gdk_pixbuf_new_from_file_at_size(path, side, side, NULL);
}

// the first that was not read yet; one that cannot be read is not shown
static gboolean on_idle(void *user)
{
    struct dialog_gallery *g = user;
    GtkTreeModel *model = GTK_TREE_MODEL(g->store);
    GtkTreeIter row;
    gboolean read = TRUE;

    for (bool more = gtk_tree_model_get_iter_first(model, &row); more;
         more = gtk_tree_model_iter_next(model, &row)) {
        gtk_tree_model_get(model, &row, COLUMN_READ, &read, -1);
        if (!read) {
            g_autofree char *name = name_at(g, &row);
            g_autoptr(GdkPixbuf) small = read_small(g, name, THUMBNAIL_SIDE);
            if (small != NULL) {
                gtk_list_store_set(g->store, &row, COLUMN_PICTURE, small, COLUMN_READ, TRUE, -1);
            } else {
                gtk_list_store_remove(g->store, &row);
            }
            return G_SOURCE_CONTINUE;
        }
    }
    g->reader = 0;
    toolkit_tell("gallery: %d pictures", count(g));
    return G_SOURCE_REMOVE;
}

/* ---- the chosen one ---- */

static void show_large(const struct dialog_gallery *g, const char *name)
{
    struct history_entry entry;
    g_autofree char *path = g_build_filename(g->folder, name, NULL);
    g_autoptr(GError) error = NULL;

    if (!history_read(g->folder, name, &entry, &error) || !dialog_preview_show(g->preview, path)) {
        gtk_label_set_text(GTK_LABEL(g->title), error != NULL ? error->message : "");
        return;
    }
    g_autofree char *title = kept_picture_title(&entry);
    gtk_label_set_text(GTK_LABEL(g->title), title);
    gtk_widget_set_tooltip_text(g->title, entry.prompt);
    toolkit_tell("gallery: shows %s", title);
    history_entry_clear(&entry);
}

static void on_choice(GtkIconView *view, void *user)
{
    struct dialog_gallery *g = user;
    g_auto(GStrv) names = chosen(g);
    const int n = (int)g_strv_length(names);

    if (n > 0) {
        show_large(g, names[0]);
    }
    gtk_widget_set_sensitive(g->apply, n > 0);
    gtk_widget_set_sensitive(g->discard, n > 0);
    gtk_widget_set_sensitive(g->settings, n == 1);
    gtk_widget_set_sensitive(g->keep, n > 0);
}

static void choose(struct dialog_gallery *g, int index)
{
    GtkTreePath *path = gtk_tree_path_new_from_indices(index, -1);

    gtk_icon_view_unselect_all(GTK_ICON_VIEW(g->view));
    gtk_icon_view_select_path(GTK_ICON_VIEW(g->view), path);
    gtk_icon_view_set_cursor(GTK_ICON_VIEW(g->view), path, NULL, FALSE);
    gtk_icon_view_scroll_to_path(GTK_ICON_VIEW(g->view), path, FALSE, 0, 0);
    gtk_tree_path_free(path);
}

// of the first that is chosen
static int chosen_index(const struct dialog_gallery *g)
{
    GList *paths = gtk_icon_view_get_selected_items(GTK_ICON_VIEW(g->view));
    int index = count(g);

    for (GList *path = paths; path != NULL; path = path->next) {
        index = MIN(index, gtk_tree_path_get_indices(path->data)[0]);
    }
    g_list_free_full(paths, (GDestroyNotify)gtk_tree_path_free);
    return index;
}

/* ---- what can be done ---- */

static void apply(struct dialog_gallery *g, const char *name)
{
    g_autoptr(GError) error = NULL;
    const bool good = dialog_target_update(g->target, &error);
    const struct call *c = &g->target->call;
    const host_item below = c->n_layers > 0 ? c->layers[0] : HOST_NONE;
    const host_image image = host_image_exists(c->image) ? c->image : HOST_NONE;

    if (good && kept_picture_apply(g->folder, name, image, below, &error) != HOST_NONE) {
        g->calls.say(g->calls.user, _("One layer was added."));
    } else {
        g->calls.say(g->calls.user, error->message);
    }
}

static void on_apply(GtkWidget *widget, void *user)
{
    struct dialog_gallery *g = user;
    g_auto(GStrv) names = chosen(g);

    for (char **name = names; *name != NULL; name++) {
        apply(g, *name);
    }
}

// Enter, or two clicks
static void on_activated(GtkIconView *view, GtkTreePath *path, void *user)
{
    on_apply(GTK_WIDGET(view), user);
}

static void on_settings(GtkWidget *widget, void *user)
{
    struct dialog_gallery *g = user;
    g_auto(GStrv) names = chosen(g);
    struct history_entry entry;
    g_autoptr(GError) error = NULL;

    if (names[0] == NULL) {
        return;
    }
    if (!history_read(g->folder, names[0], &entry, &error)) {
        g->calls.say(g->calls.user, error->message);
        return;
    }
    g->calls.settings(g->calls.user, entry.settings);
    history_entry_clear(&entry);
}

static void remove_rows(struct dialog_gallery *g, char **names)
{
    GtkTreeModel *model = GTK_TREE_MODEL(g->store);
    GtkTreeIter row;
    bool more = gtk_tree_model_get_iter_first(model, &row);

    while (more) {
        g_autofree char *name = name_at(g, &row);
        more = g_strv_contains((const char *const *)names, name)
                   ? gtk_list_store_remove(g->store, &row)
                   : gtk_tree_model_iter_next(model, &row);
    }
}

static void say_taken_out(struct dialog_gallery *g, int n)
{
    g_autofree char *text =
        n == 1 ? g_strdup(_("One layer was taken out of the image; Undo brings it back."))
               : g_strdup_printf(_("%d layers were taken out of the image; Undo brings them back."),
                                 n);

    g->calls.say(g->calls.user,
                 n > 0 ? text : _("No unchanged layer shows it; none was taken out."));
}

static void on_discard(GtkWidget *widget, void *user)
{
    struct dialog_gallery *g = user;
    g_auto(GStrv) names = chosen(g);
    const int index = chosen_index(g);

    if (names[0] == NULL) {
        return;
    }
    say_taken_out(g, kept_picture_take_out(names));
    for (char **name = names; *name != NULL; name++) {
        history_remove(g->folder, *name);
    }
    remove_rows(g, names);
    on_choice(GTK_ICON_VIEW(g->view), g);
    if (count(g) > 0) {
        choose(g, MIN(index, count(g) - 1)); // the one that came after it
    }
    toolkit_tell("gallery: %d pictures", count(g));
}

// of the runs of the chosen pictures, those that are not chosen; g_strfreev it
static char **find_others(const struct dialog_gallery *g, char **names)
{
    GtkTreeModel *model = GTK_TREE_MODEL(g->store);
    GPtrArray *others = g_ptr_array_new();
    GtkTreeIter row;

    for (bool more = gtk_tree_model_get_iter_first(model, &row); more;
         more = gtk_tree_model_iter_next(model, &row)) {
        char *name = name_at(g, &row);
        bool other = false;
        for (char **one = names; *one != NULL; one++) {
            other = other || history_same_run(*one, name);
        }
        if (other && !g_strv_contains((const char *const *)names, name)) {
            g_ptr_array_add(others, name);
        } else {
            g_free(name);
        }
    }
    g_ptr_array_add(others, NULL);
    return (char **)g_ptr_array_free(others, FALSE);
}

static void on_keep(GtkWidget *widget, void *user)
{
    struct dialog_gallery *g = user;
    g_auto(GStrv) names = chosen(g);
    g_auto(GStrv) others = find_others(g, names);

    say_taken_out(g, kept_picture_take_out(others));
}

static gboolean on_key(GtkWidget *view, GdkEventKey *event, void *user)
{
    const bool discards = event->keyval == GDK_KEY_Delete || event->keyval == GDK_KEY_KP_Delete;

    if (discards) {
        on_discard(view, user);
    }
    return discards;
}

/* ---- making ---- */

static GtkWidget *make_view(struct dialog_gallery *g)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    g->view = gtk_icon_view_new_with_model(GTK_TREE_MODEL(g->store));
    gtk_icon_view_set_pixbuf_column(GTK_ICON_VIEW(g->view), COLUMN_PICTURE);
    gtk_icon_view_set_selection_mode(GTK_ICON_VIEW(g->view), GTK_SELECTION_MULTIPLE);
    gtk_icon_view_set_item_padding(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_spacing(GTK_ICON_VIEW(g->view), 0);
    gtk_icon_view_set_margin(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_column_spacing(GTK_ICON_VIEW(g->view), 2);
    gtk_icon_view_set_row_spacing(GTK_ICON_VIEW(g->view), 2);
    g_signal_connect(g->view, "selection-changed", G_CALLBACK(on_choice), g);
    g_signal_connect(g->view, "item-activated", G_CALLBACK(on_activated), g);
    g_signal_connect(g->view, "key-press-event", G_CALLBACK(on_key), g);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scrolled), GTK_SHADOW_IN);
    gtk_widget_set_size_request(scrolled, WIDTH, HEIGHT);
    gtk_container_add(GTK_CONTAINER(scrolled), g->view);
    return scrolled;
}

static GtkWidget *make_button(struct dialog_gallery *g, GtkWidget *row, const char *name,
                              const char *help, void (*clicked)(GtkWidget *, void *))
{
    GtkWidget *button = gtk_button_new_with_mnemonic(name);

    gtk_widget_set_tooltip_text(button, help);
    gtk_widget_set_sensitive(button, FALSE);
    g_signal_connect(button, "clicked", G_CALLBACK(clicked), g);
    gtk_box_pack_start(GTK_BOX(row), button, TRUE, TRUE, 0);
    return button;
}

static GtkWidget *make_buttons(struct dialog_gallery *g)
{
    GtkWidget *box = toolkit_column(6), *first = toolkit_row(6), *second = toolkit_row(6);

    g->apply = make_button(
        g, first, _("Add as Layer"),
        _("The picture becomes a layer of the image, again where it was one (Enter)."), on_apply);
    g->discard = make_button(g, first, _("Throw Away"),
                             _("The picture is not kept any more, and the layer that shows it is "
                               "taken out, if nobody has changed it (Delete)."),
                             on_discard);
    g->settings = make_button(g, second, _("Use Settings"),
                              _("Takes the settings that the picture was made with."), on_settings);
    g->keep = make_button(
        g, second, _("_Keep Chosen"),
        _("The layers of the other pictures of this run are taken out of the image, in one step "
          "that "
          "can be undone. Ctrl and a click, or Ctrl and the space bar, chooses several."),
        on_keep);
    gtk_box_pack_start(GTK_BOX(box), first, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), second, FALSE, FALSE, 0);
    return box;
}

static void make_box(struct dialog_gallery *g)
{
    GtkWidget *label = toolkit_label(_("What was made (_V):"));

    g->box = toolkit_column(6);
    g->title = toolkit_label("");
    gtk_label_set_ellipsize(GTK_LABEL(g->title), PANGO_ELLIPSIZE_END);
    gtk_box_pack_start(GTK_BOX(g->box), g->title, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(g->box), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(g->box), make_view(g), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(g->box), make_buttons(g), FALSE, FALSE, 0);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), g->view);
    gtk_widget_show_all(g->box);
    gtk_widget_hide(g->box);
    gtk_widget_set_no_show_all(g->box, TRUE);
}

struct dialog_gallery *dialog_gallery_new(GtkWidget *preview, struct dialog_target *target,
                                          const struct dialog_gallery_calls *calls)
{
    struct dialog_gallery *g = g_new0(struct dialog_gallery, 1);

    g->target = target;
    g->calls = *calls;
    g->folder = target != NULL ? history_folder(NULL) : NULL; // keeping tells what is wrong
    g->store = gtk_list_store_new(N_COLUMNS, GDK_TYPE_PIXBUF, G_TYPE_STRING, G_TYPE_BOOLEAN);
    g->preview = preview;
    make_box(g);
    dialog_gallery_renew(g);
    return g;
}

void dialog_gallery_free(struct dialog_gallery *g)
{
    if (g->reader != 0) {
        g_source_remove(g->reader);
    }
    g_object_unref(g->store);
    g_free(g->folder);
    g_free(g);
}

GtkWidget *dialog_gallery_widget(const struct dialog_gallery *g)
{
    return g->box;
}

bool dialog_gallery_has_any(const struct dialog_gallery *g)
{
    return count(g) > 0;
}

void dialog_gallery_renew(struct dialog_gallery *g)
{
    g_auto(GStrv) names = g->folder != NULL ? history_list(g->folder) : g_new0(char *, 1);

    gtk_list_store_clear(g->store);
    for (char **name = names; *name != NULL; name++) {
        gtk_list_store_insert_with_values(g->store, NULL, -1, COLUMN_NAME, *name, COLUMN_READ,
                                          FALSE, -1);
    }
    if (names[0] != NULL) {
        gtk_widget_show(g->box);
        choose(g, 0);
        g->reader = g->reader != 0 ? g->reader : g_idle_add(on_idle, g);
    }
}
