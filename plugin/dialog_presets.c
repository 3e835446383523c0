/* Presets in a dialog; see dialog_presets.h. */
#include "plugin/dialog_presets.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/presets.h"
#include "plugin/words.h"

#define CHARACTERS 24 // of a name that are seen

struct presets {
    values *v; // borrowed, as are the fields
    const struct dialog_fields *fields;
    dialog_presets_say say;
    void *user;
    char *file; // NULL: it cannot be made
    GtkWidget *list;
    bool filling; // the list, which is no choice
};

static const char *typed(const struct presets *p)
{
    return toolkit_text(gtk_bin_get_child(GTK_BIN(p->list)));
}

// the names that there are now; what is typed stays
static void fill(struct presets *p)
{
    g_auto(GStrv) names = p->file != NULL ? presets_names(p->file) : g_new0(char *, 1);

    p->filling = true;
    gtk_list_store_clear(GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(p->list))));
    for (char **name = names; *name != NULL; name++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(p->list), *name);
    }
    p->filling = false;
    toolkit_tell("presets: %u", g_strv_length(names));
}

static void tell(const struct presets *p, const char *form, const char *name)
{
    g_autofree char *text = g_strdup_printf(form, name);

    p->say(p->user, text);
}

/* ---- what can be done ---- */

static void on_change(struct presets *p)
{
    g_autoptr(GError) error = NULL;

    if (p->filling || gtk_combo_box_get_active(GTK_COMBO_BOX(p->list)) < 0) { // it is being typed
        return;
    }
    dialog_fields_read(p->fields);
    if (presets_read(p->file, typed(p), p->v, &error)) {
        dialog_fields_write(p->fields);
        tell(p, _("These are the values of “%s”."), typed(p));
    } else {
        p->say(p->user, error->message);
    }
}

// what was wrong, or that it was done
static void finish(struct presets *p, bool done, const char *form, const char *name,
                   const GError *error)
{
    if (done) {
        fill(p);
        tell(p, form, name);
    } else if (error != NULL) {
        p->say(p->user, error->message);
    }
}

static bool has_file(struct presets *p, GError **error)
{
    if (p->file == NULL) {
        p->file = presets_file(p->v->procedure, error);
    }
    return p->file != NULL;
}

// the file is made with the first preset
static void on_save(struct presets *p)
{
    g_autofree char *name = g_strstrip(g_strdup(typed(p)));
    g_autoptr(GError) error = NULL;

    dialog_fields_read(p->fields);
    const bool done = has_file(p, &error) && presets_save(p->file, name, p->v, &error);
    finish(p, done, _("The values are kept as “%s”."), name, error);
}

static void on_delete(struct presets *p)
{
    g_autofree char *name = g_strstrip(g_strdup(typed(p)));
    g_autoptr(GError) error = NULL;

    if (name[0] == '\0') {
        return;
    }
    const bool done = has_file(p, &error) && presets_delete(p->file, name, &error);
    // filling the list leaves what is typed, which is the name of nothing now
    toolkit_set_text(gtk_bin_get_child(GTK_BIN(p->list)), done ? "" : name);
    finish(p, done, _("“%s” is no preset any more."), name, error);
}

/* ---- making ---- */

static void free_presets(struct presets *p)
{
    g_free(p->file);
    g_free(p);
}

GtkWidget *dialog_presets_new(values *v, const struct dialog_fields *fields, dialog_presets_say say,
                              void *user)
{
    struct presets *p = g_new0(struct presets, 1);
    GtkWidget *label = toolkit_label(_("Preset (_Q)")), *entry;

    *p = (struct presets){.v = v, .fields = fields, .say = say, .user = user};
    p->file = presets_file(v->procedure, NULL); // saving tells what is wrong with it
    p->list = gtk_combo_box_text_new_with_entry();
    entry = gtk_bin_get_child(GTK_BIN(p->list));
    gtk_entry_set_width_chars(GTK_ENTRY(entry), CHARACTERS);
    gtk_widget_set_tooltip_text(
        entry, _("Values under a name: choose one, or type a name and press Save."));
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
    GtkWidget *row = toolkit_row(
        6, label, toolkit_grows(p->list),
        toolkit_button(_("Save"), _("Keeps what the fields say under the name."),
                       G_CALLBACK(on_save), p),
        toolkit_button(_("Delete"), _("Forgets the preset of this name; the fields stay."),
                       G_CALLBACK(on_delete), p),
        NULL);
    fill(p);
    g_signal_connect_swapped(p->list, "changed", G_CALLBACK(on_change), p);
    g_object_set_data_full(G_OBJECT(row), "svdiff-presets", p, (GDestroyNotify)free_presets);
    return row;
}
