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

enum { COLUMN_PICTURE, N_COLUMNS };

struct dialog_gallery {
    struct dialog_target *target; // NULL: nothing is shown
    struct dialog_gallery_calls calls;
    char *folder;                            // NULL: it cannot be used
    GPtrArray *names;                        // char *, of the rows
    GtkListStore *store;                     // a row a name, in their order
    guint n_read;                            // so many rows have their small pictures
    GtkWidget *preview, *title, *box, *view; // preview: borrowed
    GtkWidget *apply, *discard, *settings, *keep;
    guint reader; // source that reads the others; 0: none
};

/* ---- rows ---- */

static const char *name_at(const struct dialog_gallery *g, guint i)
{
    return g->names->pdata[i];
}

// the chosen ones, the one that was added last to the choice first; *first: the highest row of them
static char **find_chosen(const struct dialog_gallery *g, int *first)
{
    GList *paths = gtk_icon_view_get_selected_items(GTK_ICON_VIEW(g->view));
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    *first = (int)g->names->len;
    for (GList *path = paths; path != NULL; path = path->next) {
        const int i = gtk_tree_path_get_indices(path->data)[0];
        g_strv_builder_add(names, name_at(g, (guint)i));
        *first = MIN(*first, i);
    }
    g_list_free_full(paths, (GDestroyNotify)gtk_tree_path_free);
    return g_strv_builder_end(names);
}

// g_strfreev it
static char **chosen(const struct dialog_gallery *g)
{
    int first;

    return find_chosen(g, &first);
}

// the name first: the list tells of another choice while the row goes
static void remove_row(struct dialog_gallery *g, guint i)
{
    GtkTreeIter row;

    g_ptr_array_remove_index(g->names, i);
    g->n_read -= i < g->n_read ? 1 : 0;
    if (gtk_tree_model_iter_nth_child(GTK_TREE_MODEL(g->store), &row, NULL, (int)i)) {
        gtk_list_store_remove(g->store, &row);
    }
}

// reads the next one; one that cannot be read is not shown
static gboolean on_idle(struct dialog_gallery *g)
{
    GtkTreeIter row;

    if (!gtk_tree_model_iter_nth_child(GTK_TREE_MODEL(g->store), &row, NULL, (int)g->n_read)) {
        g->reader = 0;
        toolkit_tell("gallery: %u pictures", g->names->len);
        return G_SOURCE_REMOVE;
    }
    g_autofree char *path = g_build_filename(g->folder, name_at(g, g->n_read), NULL);
    g_autoptr(GdkPixbuf) small =
        // scaled while it is read: not all that are kept are in memory at their own size
        gdk_pixbuf_new_from_file_at_size(path, THUMBNAIL_SIDE, THUMBNAIL_SIDE, NULL);
    if (small != NULL) {
        gtk_list_store_set(g->store, &row, COLUMN_PICTURE, small, -1);
        g->n_read++;
    } else {
        remove_row(g, g->n_read);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- the chosen one ---- */

// the picture itself, above; the text says why where that cannot be
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

// also when rows are removed; with none chosen the last large picture stays
static void on_choice(struct dialog_gallery *g)
{
    g_auto(GStrv) names = chosen(g);
    const int n = (int)g_strv_length(names);

    if (n > 0) {
        show_large(g, names[0]);
    }
    gtk_widget_set_sensitive(g->apply, n > 0);
    gtk_widget_set_sensitive(g->discard, n > 0);
    // one alone: several may have been made with others
    gtk_widget_set_sensitive(g->settings, n == 1);
    gtk_widget_set_sensitive(g->keep, n > 0);
}

// and has the keys begin there, and scrolls to it
static void choose(struct dialog_gallery *g, int index)
{
    GtkTreePath *path = gtk_tree_path_new_from_indices(index, -1);

    // the view adds to a choice otherwise
    gtk_icon_view_unselect_all(GTK_ICON_VIEW(g->view));
    gtk_icon_view_select_path(GTK_ICON_VIEW(g->view), path);
    gtk_icon_view_set_cursor(GTK_ICON_VIEW(g->view), path, NULL, FALSE);
    gtk_icon_view_scroll_to_path(GTK_ICON_VIEW(g->view), path, FALSE, 0, 0);
    gtk_tree_path_free(path);
}

/* ---- what can be done ---- */

// above what is chosen in the image now; into a new image where there is none
static void apply(struct dialog_gallery *g, const char *name)
{
    g_autoptr(GError) error = NULL;
    // the person may have chosen another layer, or closed the image, since the dialog opened
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

static void on_apply(struct dialog_gallery *g)
{
    g_auto(GStrv) names = chosen(g);

    for (char **name = names; *name != NULL; name++) {
        apply(g, *name);
    }
}

// of one picture: several may disagree
static void on_settings(struct dialog_gallery *g)
{
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

static void say_taken_out(struct dialog_gallery *g, int n)
{
    g_autofree char *text =
        n == 1 ? g_strdup(_("One layer was taken out of the image; Undo brings it back."))
               : g_strdup_printf(_("%d layers were taken out of the image; Undo brings them back."),
                                 n);

    g->calls.say(g->calls.user,
                 n > 0 ? text : _("No unchanged layer shows it; none was taken out."));
}

/* The file, its row, and the layer, which undo brings back. What a person changed is theirs: such a
 * layer stays. */
static void on_discard(struct dialog_gallery *g)
{
    int first;
    g_auto(GStrv) names = find_chosen(g, &first);

    if (names[0] == NULL) {
        return;
    }
    // before the files go: the layers are known by their pictures' names
    say_taken_out(g, kept_picture_take_out(names));
    // from the end, since rows are removed
    for (guint i = g->names->len; i-- > 0;) {
        if (g_strv_contains((const char *const *)names, name_at(g, i))) {
            history_remove(g->folder, name_at(g, i));
            remove_row(g, i);
        }
    }
    on_choice(g);
    if (g->names->len > 0) {
        choose(g, MIN(first, (int)g->names->len - 1)); // the one that came after it
    }
    toolkit_tell("gallery: %u pictures", g->names->len);
}

// whether it is of the run of one of these pictures, and none of them
static bool is_other(char *const *names, const char *name)
{
    bool other = false;

    for (char *const *one = names; *one != NULL; one++) {
        other = other || history_same_run(*one, name);
    }
    return other && !g_strv_contains((const char *const *)names, name);
}

// files stay: what was taken out of the image can be added again
static void on_keep(struct dialog_gallery *g)
{
    g_auto(GStrv) names = chosen(g);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; i < g->names->len; i++) {
        if (is_other(names, name_at(g, i))) {
            g_strv_builder_add(builder, name_at(g, i));
        }
    }
    g_auto(GStrv) others = g_strv_builder_end(builder);
    say_taken_out(g, kept_picture_take_out(others));
}

static gboolean on_key(struct dialog_gallery *g, GdkEventKey *event)
{
    const bool discards = event->keyval == GDK_KEY_Delete || event->keyval == GDK_KEY_KP_Delete;

    if (discards) {
        on_discard(g);
    }
    return discards;
}

/* ---- making ---- */

static GtkWidget *make_view(struct dialog_gallery *g)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    g->view = gtk_icon_view_new_with_model(GTK_TREE_MODEL(g->store));
    g_object_set(g->view, "pixbuf-column", COLUMN_PICTURE, "selection-mode", GTK_SELECTION_MULTIPLE,
                 "item-padding", 2, "spacing", 0, "margin", 2, "column-spacing", 2, "row-spacing",
                 2, NULL);
    g_signal_connect_swapped(g->view, "selection-changed", G_CALLBACK(on_choice), g);
    // by Enter, or two clicks
    g_signal_connect_swapped(g->view, "item-activated", G_CALLBACK(on_apply), g);
    g_signal_connect_swapped(g->view, "key-press-event", G_CALLBACK(on_key), g);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scrolled), GTK_SHADOW_IN);
    gtk_widget_set_size_request(scrolled, WIDTH, HEIGHT);
    gtk_container_add(GTK_CONTAINER(scrolled), g->view);
    return scrolled;
}

static GtkWidget *make_button(struct dialog_gallery *g, const char *name, const char *help,
                              GCallback clicked)
{
    GtkWidget *button = toolkit_button(name, help, clicked, g);

    gtk_widget_set_sensitive(button, FALSE);
    return toolkit_grows(button);
}

static GtkWidget *make_buttons(struct dialog_gallery *g)
{
    g->apply =
        make_button(g, _("Add as Layer"),
                    _("The picture becomes a layer of the image, again where it was one (Enter)."),
                    G_CALLBACK(on_apply));
    g->discard = make_button(g, _("Throw Away"),
                             _("The picture is not kept any more, and the layer that shows it is "
                               "taken out, if nobody has changed it (Delete)."),
                             G_CALLBACK(on_discard));
    g->settings =
        make_button(g, _("Use Settings"), _("Takes the settings that the picture was made with."),
                    G_CALLBACK(on_settings));
    g->keep = make_button(
        g, _("_Keep Chosen"),
        _("The layers of the other pictures of this run are taken out of the image, in one step "
          "that "
          "can be undone. Ctrl and a click, or Ctrl and the space bar, chooses several."),
        G_CALLBACK(on_keep));
    return toolkit_column(6, toolkit_row(6, g->apply, g->discard, NULL),
                          toolkit_row(6, g->settings, g->keep, NULL), NULL);
}

static void make_box(struct dialog_gallery *g)
{
    GtkWidget *label = toolkit_label(_("What was made (_V):"));

    g->title = toolkit_label("");
    toolkit_ellipsize(g->title, 0);
    GtkWidget *view = toolkit_grows(make_view(g));
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), g->view);
    g->box = toolkit_hidden(toolkit_column(6, g->title, label, view, make_buttons(g), NULL));
}

struct dialog_gallery *dialog_gallery_new(GtkWidget *preview, struct dialog_target *target,
                                          const struct dialog_gallery_calls *calls)
{
    struct dialog_gallery *g = g_new0(struct dialog_gallery, 1);

    g->target = target;
    g->calls = *calls;
    g->folder = target != NULL ? history_folder(NULL) : NULL; // keeping tells what is wrong
    g->store = gtk_list_store_new(N_COLUMNS, GDK_TYPE_PIXBUF);
    g->names = g_ptr_array_new_with_free_func(g_free);
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
    g_ptr_array_unref(g->names);
    g_free(g->folder);
    g_free(g);
}

GtkWidget *dialog_gallery_widget(const struct dialog_gallery *g)
{
    return g->box;
}

bool dialog_gallery_has_any(const struct dialog_gallery *g)
{
    return g->names->len > 0;
}

void dialog_gallery_renew(struct dialog_gallery *g)
{
    g_auto(GStrv) names = g->folder != NULL ? history_list(g->folder) : g_new0(char *, 1);

    gtk_icon_view_unselect_all(GTK_ICON_VIEW(g->view));
    gtk_list_store_clear(g->store);
    g_ptr_array_set_size(g->names, 0);
    g->n_read = 0;
    for (char **name = names; *name != NULL; name++) {
        g_ptr_array_add(g->names, g_strdup(*name));
        // empty until on_idle comes to it: the window does not wait for a hundred files
        gtk_list_store_insert_with_values(g->store, NULL, -1, COLUMN_PICTURE, NULL, -1);
    }
    if (names[0] != NULL) {
        gtk_widget_show(g->box);
        // the newest picture is the first
        choose(g, 0);
        g->reader = g->reader != 0 ? g->reader : g_idle_add(G_SOURCE_FUNC(on_idle), g);
    }
}
