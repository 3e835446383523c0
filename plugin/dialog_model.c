/* Choosing a model; see dialog_model.h. The command is asked when the entry has not changed for a
 * moment; an answer about an older text is not taken. */
#include "plugin/dialog_model.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/info.h"
#include "plugin/words.h"

#include <stdbool.h>
#include <string.h>

#define PAUSE_MS   500
#define SAYS_WIDTH 300 // pixels

struct model {
    GtkWidget *entry, *says;
    guint timer;        // 0: none
    GCancellable *stop; // of the last question, NULL: none
    dialog_model_told told;
    void *user;
};

static void forget(struct model *m)
{
    if (m->timer != 0) {
        g_source_remove(m->timer);
        m->timer = 0;
    }
    if (m->stop != NULL) {
        g_cancellable_cancel(m->stop);
        g_clear_object(&m->stop);
    }
}

static void free_model(void *data)
{
    forget(data);
    g_free(data);
}

/* ---- what it is ---- */

static void say(struct model *m, const char *text)
{
    gtk_label_set_text(GTK_LABEL(m->says), text);
    toolkit_tell("model: %s", text);
}

static void add(GString *text, const char *part)
{
    if (part != NULL) {
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", part);
    }
}

static void add_size(GString *text, JsonObject *info)
{
    JsonNode *node = json_object_get_member(info, "bytes");

    if (node != NULL && json_node_get_value_type(node) == G_TYPE_INT64) {
        g_autofree char *size = g_format_size((guint64)json_node_get_int(node));
        add(text, size);
    }
}

static void tell_defaults(const struct model *m, JsonObject *info)
{
    JsonNode *node = json_object_get_member(info, "defaults");

    if (node != NULL && JSON_NODE_HOLDS_OBJECT(node)) {
        m->told(m->user, json_node_get_object(node));
    }
}

// "Stable Diffusion 1.x, diffusers, epsilon, 2.1 GB"
static void on_told(void *user, JsonObject *info, const char *sentence)
{
    struct model *m = user;
    g_autoptr(GString) text = g_string_new(NULL);

    if (info == NULL) {
        say(m, sentence);
        return;
    }
    const char *kind = info_text(info, "kind");
    const bool model = g_strcmp0(kind, "model") == 0;
    if (!model) {
        g_string_append_printf(text, _("This is no model but: %s"), kind != NULL ? kind : "");
    }
    add(text, info_text(info, "family_name"));
    add(text, info_text(info, "format"));
    add(text, info_text(info, "prediction"));
    add_size(text, info);
    const bool ships = gtk_entry_get_text(GTK_ENTRY(m->entry))[0] == '\0';
    say(m, ships ? _("The model that ships with SVDiff.") : text->str);
    tell_defaults(m, info);
}

static gboolean on_timer(void *user)
{
    struct model *m = user;

    m->timer = 0;
    m->stop = g_cancellable_new();
    info_ask(gtk_entry_get_text(GTK_ENTRY(m->entry)), m->stop, on_told, m);
    return G_SOURCE_REMOVE;
}

static void on_change(GtkEditable *entry, void *user)
{
    struct model *m = user;

    forget(m);
    m->timer = g_timeout_add(PAUSE_MS, on_timer, m);
}

/* ---- choosing ---- */

static void choose(GtkWidget *button, struct model *m, GtkFileChooserAction action)
{
    GtkWidget *chooser = gtk_file_chooser_dialog_new(
        _("Choose a Model"), GTK_WINDOW(gtk_widget_get_toplevel(button)), action, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Open"), GTK_RESPONSE_ACCEPT, NULL);

    gtk_dialog_set_default_response(GTK_DIALOG(chooser), GTK_RESPONSE_ACCEPT);
    gtk_file_chooser_set_filename(GTK_FILE_CHOOSER(chooser),
                                  gtk_entry_get_text(GTK_ENTRY(m->entry)));
    if (gtk_dialog_run(GTK_DIALOG(chooser)) == GTK_RESPONSE_ACCEPT) {
        g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser));
        gtk_entry_set_text(GTK_ENTRY(m->entry), path != NULL ? path : "");
    }
    gtk_widget_destroy(chooser);
}

static void on_file(GtkWidget *button, void *user)
{
    choose(button, user, GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void on_folder(GtkWidget *button, void *user)
{
    choose(button, user, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

static void add_button(GtkWidget *row, const char *name, GCallback clicked, struct model *m)
{
    GtkWidget *button = gtk_button_new_with_label(name);

    g_signal_connect(button, "clicked", clicked, m);
    gtk_box_pack_start(GTK_BOX(row), button, FALSE, FALSE, 0);
}

GtkWidget *dialog_model_new(GtkWidget *entry, dialog_model_told told, void *user)
{
    struct model *m = g_new0(struct model, 1);
    GtkWidget *box = toolkit_column(2), *row = toolkit_row(6);

    m->entry = entry;
    m->told = told;
    m->user = user;
    m->says = toolkit_paragraph(SAYS_WIDTH);
    gtk_entry_set_width_chars(GTK_ENTRY(entry), 20);
    gtk_box_pack_start(GTK_BOX(row), entry, TRUE, TRUE, 0);
    add_button(row, _("File…"), G_CALLBACK(on_file), m);
    add_button(row, _("Folder…"), G_CALLBACK(on_folder), m);
    gtk_box_pack_start(GTK_BOX(box), row, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), m->says, FALSE, FALSE, 0);
    g_signal_connect(entry, "changed", G_CALLBACK(on_change), m);
    m->timer = g_idle_add(on_timer, m);
    g_object_set_data_full(G_OBJECT(box), "svdiff-model", m, free_model);
    return box;
}
