/* Choosing a model; see dialog_model.h. The command is asked when the entry has not changed for a
 * moment; an answer about an older text is not taken. */
#include "plugin/dialog_model.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/info.h"
#include "plugin/told.h"
#include "plugin/words.h"

#include <stdbool.h>
#include <string.h>

#define PAUSE_MS   500
#define SAYS_WIDTH 300 // pixels
#define CHARACTERS 20  // of a path that are seen

struct model {
    GtkWidget *entry, *says;
    guint timer;        // 0: none
    GCancellable *stop; // of the last question, NULL: none
    dialog_model_told told;
    void *user;
};

// the question that is on its way is of an older text
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

// "Stable Diffusion 1.x, diffusers, epsilon, 2.1 GB"
static void on_told(void *user, JsonObject *info, const char *sentence)
{
    struct model *m = user;
    g_autoptr(GString) text = g_string_new(NULL);

    if (info == NULL) {
        say(m, sentence);
        return;
    }
    const char *kind = told_text(info, "kind");
    const double bytes = told_number(info, "bytes", -1);
    g_autofree char *size = g_format_size((guint64)MAX(bytes, 0));
    JsonObject *defaults = told_part(info, "defaults");
    const bool model = g_strcmp0(kind, "model") == 0;
    if (!model) {
        g_string_append_printf(text, _("This is no model but: %s"), kind != NULL ? kind : "");
    }
    add(text, told_text(info, "family_name"));
    add(text, told_text(info, "format"));
    add(text, told_text(info, "prediction"));
    add(text, bytes >= 0 ? size : NULL);
    const bool ships = toolkit_text(m->entry)[0] == '\0';
    say(m, ships ? _("The model that ships with SVDiff.") : text->str);
    if (defaults != NULL) {
        m->told(m->user, defaults);
    }
}

static gboolean on_timer(struct model *m)
{
    m->timer = 0;
    m->stop = g_cancellable_new();
    info_ask(toolkit_text(m->entry), m->stop, on_told, m);
    return G_SOURCE_REMOVE;
}

static void on_change(struct model *m)
{
    forget(m);
    m->timer = g_timeout_add(PAUSE_MS, G_SOURCE_FUNC(on_timer), m);
}

/* ---- choosing ---- */

// a chooser that opens files cannot choose a folder, hence one for each
static void choose(const struct model *m, GtkFileChooserAction action)
{
    GtkWidget *chooser = gtk_file_chooser_dialog_new(
        _("Choose a Model"), GTK_WINDOW(gtk_widget_get_toplevel(m->entry)), action, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Open"), GTK_RESPONSE_ACCEPT, NULL);

    gtk_dialog_set_default_response(GTK_DIALOG(chooser), GTK_RESPONSE_ACCEPT);
    gtk_file_chooser_set_filename(GTK_FILE_CHOOSER(chooser), toolkit_text(m->entry));
    if (gtk_dialog_run(GTK_DIALOG(chooser)) == GTK_RESPONSE_ACCEPT) {
        g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser));
        toolkit_set_text(m->entry, path != NULL ? path : "");
    }
    gtk_widget_destroy(chooser);
}

static void on_file(struct model *m)
{
    choose(m, GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void on_folder(struct model *m)
{
    choose(m, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

GtkWidget *dialog_model_new(GtkWidget *entry, dialog_model_told told, void *user)
{
    struct model *m = g_new0(struct model, 1);

    *m = (struct model){.entry = entry, .told = told, .user = user};
    m->says = toolkit_paragraph(SAYS_WIDTH);
    toolkit_set_entry(entry, CHARACTERS);
    GtkWidget *row = toolkit_row(
        6, toolkit_grows(entry), toolkit_button(_("File…"), NULL, G_CALLBACK(on_file), m),
        toolkit_button(_("Folder…"), NULL, G_CALLBACK(on_folder), m), NULL);
    GtkWidget *box = toolkit_column(2, row, m->says, NULL);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_change), m);
    m->timer = g_idle_add(G_SOURCE_FUNC(on_timer), m);
    g_object_set_data_full(G_OBJECT(box), "svdiff-model", m, free_model);
    return box;
}
