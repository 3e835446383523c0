/* Says where a person sees what: a module that GTK 2 or 3 loads into GIMP and its plug-ins
 * (GTK_MODULES), so that tests find a button without knowing its pixels.
 *
 * It listens at $SVDIFF_WIDGETS/PID. A question is one line, with tabs between its words; its
 * answer lines of "X Y WIDTH HEIGHT TYPE NAME" in pixels of the screen, one a widget, as they stand
 * in the window:
 *
 *   find TYPE NAME WINDOW    what can be used and seen: all widgets of this class whose whole name,
 *                            and in a window whose title, fits a regular expression; menus that
 *                            popped up have no title
 *   focus                    what has the keys, and what it lies in that scrolls
 *   cut WINDOW               texts that are not seen whole
 *
 * A widget's name is the text on it, else that of the label that leads to it, or to what is beside
 * it. question.c asks. */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <gtk/gtk.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define WORDS 4 // of a question

typedef void (*each_widget)(GtkWidget *widget, void *user);

/* ---- what a widget is called ---- */

// the row of a list that it shows; g_free it
static char *text_of_row(GtkCellView *view)
{
    GtkTreeModel *model = gtk_cell_view_get_model(view);
    GtkTreePath *path = gtk_cell_view_get_displayed_row(view);
    GtkTreeIter row;
    char *text = NULL;

    if (path != NULL && gtk_tree_model_get_column_type(model, 0) == G_TYPE_STRING &&
        gtk_tree_model_get_iter(model, &row, path)) {
        gtk_tree_model_get(model, &row, 0, &text, -1);
    }
    gtk_tree_path_free(path);
    return text;
}

static void find_text(GtkWidget *widget, void *user)
{
    char **text = user;

    if (*text == NULL && GTK_IS_LABEL(widget)) {
        *text = g_strdup(gtk_label_get_text(GTK_LABEL(widget)));
    } else if (*text == NULL && GTK_IS_CELL_VIEW(widget)) {
        *text = text_of_row(GTK_CELL_VIEW(widget));
    } else if (*text == NULL && GTK_IS_CONTAINER(widget)) {
        gtk_container_forall(GTK_CONTAINER(widget), find_text, user);
    }
}

static void find_text_before(GtkWidget *widget, void *user)
{
    char **text = user;
    g_autoptr(GList) labels = gtk_widget_list_mnemonic_labels(widget);

    if (*text == NULL && labels != NULL) {
        *text = g_strdup(gtk_label_get_text(labels->data));
    }
}

// on what is pressed or read; a box has none; g_free it
static char *name_of(GtkWidget *widget)
{
    if (GTK_IS_COMBO_BOX(widget) && gtk_combo_box_get_has_entry(GTK_COMBO_BOX(widget))) {
        widget = gtk_bin_get_child(GTK_BIN(widget));
    }
    GtkWidget *parent = gtk_widget_get_parent(widget);
    char *name = NULL;

    if (GTK_IS_EXPANDER(widget)) {
        find_text(gtk_expander_get_label_widget(GTK_EXPANDER(widget)), &name);
    } else if (GTK_IS_LABEL(widget) || GTK_IS_BUTTON(widget) || GTK_IS_MENU_ITEM(widget)) {
        find_text(widget, &name);
    }
    find_text_before(widget, &name);
    if (name == NULL && GTK_IS_BOX(parent)) {
        gtk_container_forall(GTK_CONTAINER(parent), find_text_before, &name);
    }
    return name != NULL ? g_strdelimit(name, "\n", ' ') : g_strdup("");
}

/* ---- where it is ---- */

static GdkRectangle place_of(GtkWidget *widget)
{
    GtkAllocation box;
    int x = 0, y = 0;

    if (GTK_IS_EXPANDER(widget)) { // what is in it is no part of it
        widget = gtk_expander_get_label_widget(GTK_EXPANDER(widget));
    }
    gtk_widget_get_allocation(widget, &box);
    gdk_window_get_origin(gtk_widget_get_window(widget), &x, &y);
    if (gtk_widget_get_has_window(widget)) {
        box.x = box.y = 0;
    }
    return (GdkRectangle){box.x + x, box.y + y, box.width, box.height};
}

// what it lies in and scrolls, or NULL
static GtkWidget *scroller_of(GtkWidget *widget)
{
    return gtk_widget_get_ancestor(gtk_widget_get_parent(widget), GTK_TYPE_SCROLLED_WINDOW);
}

// in what scrolls it, as if it was not scrolled; in the window, if nothing does
static GdkRectangle place_in_scroller(GtkWidget *widget)
{
    GtkWidget *scroller = scroller_of(widget);
    GdkRectangle place = place_of(widget);

    if (scroller != NULL) {
        const GdkRectangle around = place_of(scroller);
        place.x -= around.x;
        place.y += (int)gtk_adjustment_get_value(
                       gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroller))) -
                   around.y;
    }
    return place;
}

// where it is scrolled, too: its middle
static bool is_seen(GtkWidget *widget)
{
    if (!gtk_widget_is_drawable(widget)) {
        return false;
    }
    const GdkRectangle place = place_of(widget);
    const int x = place.x + place.width / 2, y = place.y + place.height / 2;
    for (GtkWidget *w = scroller_of(widget); w != NULL; w = scroller_of(w)) {
        const GdkRectangle around = place_of(w);
        if (x < around.x || x >= around.x + around.width || y < around.y ||
            y >= around.y + around.height) {
            return false;
        }
    }
    return place.width > 1 && place.height > 1;
}

static void tell(GString *answer, GtkWidget *widget, GdkRectangle place)
{
    g_autofree char *name = name_of(widget);

    g_string_append_printf(answer, "%d %d %d %d %s %s\n", place.x, place.y, place.width,
                           place.height, G_OBJECT_TYPE_NAME(widget), name);
}

/* ---- questions ---- */

struct question {
    char **words; // WORDS, "" where there are fewer
    GString *answer;
};

static bool fits(const char *pattern, const char *text)
{
    return g_regex_match_simple(pattern, text, 0, 0);
}

static void find(GtkWidget *widget, void *user)
{
    const struct question *q = user;
    const GType type = g_type_from_name(q->words[1]);
    g_autofree char *whole = g_strdup_printf("^(?:%s)$", q->words[2]);
    g_autofree char *name = name_of(widget);

    if (type != 0 && g_type_is_a(G_OBJECT_TYPE(widget), type) && fits(whole, name) &&
        is_seen(widget) && gtk_widget_is_sensitive(widget)) {
        tell(q->answer, widget, place_of(widget));
    }
    if (GTK_IS_CONTAINER(widget)) {
        gtk_container_forall(GTK_CONTAINER(widget), find, user);
    }
}

static void find_cut(GtkWidget *widget, void *user)
{
    const struct question *q = user;
    int width, height;

    if (GTK_IS_LABEL(widget) && is_seen(widget) &&
        gtk_label_get_ellipsize(GTK_LABEL(widget)) == PANGO_ELLIPSIZE_NONE) {
        GtkAllocation box;
        gtk_widget_get_allocation(widget, &box);
        pango_layout_get_pixel_size(gtk_label_get_layout(GTK_LABEL(widget)), &width, &height);
        if (width > box.width || height > box.height) {
            tell(q->answer, widget, place_of(widget));
        }
    }
    if (GTK_IS_CONTAINER(widget)) {
        gtk_container_forall(GTK_CONTAINER(widget), find_cut, user);
    }
}

static void find_focus(GtkWidget *window, void *user)
{
    const struct question *q = user;
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(window));

    if (gtk_window_has_toplevel_focus(GTK_WINDOW(window)) && focus != NULL &&
        gtk_widget_is_drawable(focus)) {
        for (GtkWidget *w = focus; w != NULL; w = scroller_of(w)) {
            tell(q->answer, w, place_in_scroller(w));
        }
    }
}

static void in_windows(const char *title, each_widget each, struct question *q)
{
    g_autoptr(GList) windows = gtk_window_list_toplevels();

    for (GList *w = windows; w != NULL; w = w->next) {
        const char *own = gtk_window_get_title(w->data);
        if (gtk_widget_is_drawable(w->data) && fits(title, own != NULL ? own : "")) {
            each(w->data, q);
        }
    }
}

static GString *answer(const char *line)
{
    g_auto(GStrv) words = g_new0(char *, WORDS + 1);
    g_auto(GStrv) said = g_strsplit(line, "\t", WORDS);
    struct question q = {words, g_string_new(NULL)};

    for (guint i = 0; i < WORDS; i++) {
        words[i] = g_strdup(i < g_strv_length(said) ? said[i] : "");
    }
    if (strcmp(words[0], "find") == 0) {
        in_windows(words[3], find, &q);
    } else if (strcmp(words[0], "cut") == 0) {
        in_windows(words[1], find_cut, &q);
    } else {
        in_windows("", find_focus, &q);
    }
    return q.answer;
}

/* ---- listening ---- */

static void on_line(GObject *stream, GAsyncResult *result, void *user)
{
    g_autoptr(GSocketConnection) connection = user;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(stream), result, NULL, NULL);

    if (line != NULL) {
        GString *text = answer(line);
        g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), text->str,
                                  text->len, NULL, NULL, NULL);
        g_string_free(text, TRUE);
    }
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    g_object_unref(stream);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
                            void *user)
{
    GDataInputStream *stream =
        g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));

    g_data_input_stream_read_line_async(stream, G_PRIORITY_DEFAULT, NULL, on_line,
                                        g_object_ref(connection));
    return TRUE;
}

G_MODULE_EXPORT void gtk_module_init(int *argc, char ***argv); // GTK looks for it by name
G_MODULE_EXPORT void gtk_module_init(int *argc, char ***argv)
{
    const char *folder = g_getenv("SVDIFF_WIDGETS");
    g_autofree char *path = g_strdup_printf("%s/%d", folder, (int)getpid());

    if (folder == NULL) {
        return;
    }
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    GSocketService *service = g_socket_service_new(); // as long as the process
    g_socket_listener_add_address(G_SOCKET_LISTENER(service), address, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, NULL);
    g_signal_connect(service, "incoming", G_CALLBACK(on_incoming), NULL);
    g_socket_service_start(service);
}
