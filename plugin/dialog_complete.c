/* Prompts that complete themselves; see dialog_complete.h. What there is to offer is looked up
 * whenever the keys come to the entry: subjects are learned while the dialog is open. */
#include "plugin/dialog_complete.h"

#include "plugin/complete.h"
#include "plugin/dialog_history.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/paths.h"

#include "engine/svdiff.h"

#include <string.h>

enum { COLUMN_TEXT, COLUMN_IS_NAME, N_COLUMNS };

struct complete {
    GtkWidget *prompt, *subjects; // subjects: NULL: no names
    GtkListStore *store;
};

/* ---- what there is ---- */

static void offer(const struct complete *c, const char *text, bool is_name)
{
    gtk_list_store_insert_with_values(c->store, NULL, -1, COLUMN_TEXT, text, COLUMN_IS_NAME,
                                      is_name, -1);
}

static void add_names(const struct complete *c)
{
    g_auto(GStrv) names = paths_subjects();

    for (char **name = names; *name != NULL; name++) {
        offer(c, *name, true);
    }
}

static void add_prompts(const struct complete *c)
{
    GtkTreeModel *model = gtk_combo_box_get_model(GTK_COMBO_BOX(dialog_history_widget(c->prompt)));
    GtkTreeIter row;

    for (bool more = gtk_tree_model_get_iter_first(model, &row); more;
         more = gtk_tree_model_iter_next(model, &row)) {
        g_autofree char *text = NULL;
        gtk_tree_model_get(model, &row, 0, &text, -1); // the one column of such a list
        offer(c, text, false);
    }
}

static gboolean on_focus(struct complete *c)
{
    gtk_list_store_clear(c->store);
    if (c->subjects != NULL) {
        add_names(c);
    }
    add_prompts(c);
    return FALSE;
}

/* ---- what is offered ---- */

static gboolean fits(GtkEntryCompletion *completion, const char *key, GtkTreeIter *row, void *user)
{
    const struct complete *c = user;
    const char *typed = toolkit_text(c->prompt);
    const int cursor = gtk_editable_get_position(GTK_EDITABLE(c->prompt));
    g_autofree char *text = NULL;
    gboolean is_name;
    int from;

    gtk_tree_model_get(GTK_TREE_MODEL(c->store), row, COLUMN_TEXT, &text, COLUMN_IS_NAME, &is_name,
                       -1);
    const bool offered = text != NULL && (is_name ? complete_finds(typed, cursor, text, &from)
                                                  : complete_continues(typed, text));
    if (offered) {
        toolkit_tell("offers: %s", text);
    }
    return offered;
}

/* ---- what is chosen ---- */

/* The place of the subject among those that are used, where it is put if it is not one: the name
 * alone means nothing to the worker. */
static int use_subject(const struct complete *c, const char *name)
{
    const char *used = toolkit_text(c->subjects);
    g_auto(GStrv) parts = svdiff_subject_list(used);
    int i = 0;

    for (; parts[i] != NULL; i++) {
        double strength;
        g_autofree char *part = svdiff_subject_split(parts[i], &strength);
        if (strcmp(part, name) == 0) {
            return i;
        }
    }
    g_autofree char *part = svdiff_subject_join(name, 1);
    g_autofree char *all = g_strconcat(used, i > 0 ? "; " : "", part, NULL);
    toolkit_set_text(c->subjects, all);
    toolkit_tell("completes: uses %s", all);
    return i;
}

static void put_name(const struct complete *c, const char *name)
{
    const char *typed = toolkit_text(c->prompt);
    const int cursor = gtk_editable_get_position(GTK_EDITABLE(c->prompt));
    int from, end;

    if (complete_finds(typed, cursor, name, &from)) {
        g_autofree char *text = complete_put(typed, from, cursor, name, use_subject(c, name), &end);
        toolkit_set_text(c->prompt, text);
        gtk_editable_set_position(GTK_EDITABLE(c->prompt), end);
    }
}

// TRUE: GTK would put the whole text in the place of all that was typed
static gboolean on_chosen(GtkEntryCompletion *completion, GtkTreeModel *model, GtkTreeIter *row,
                          void *user)
{
    const struct complete *c = user;
    g_autofree char *text = NULL;
    gboolean is_name;

    gtk_tree_model_get(model, row, COLUMN_TEXT, &text, COLUMN_IS_NAME, &is_name, -1);
    if (is_name) {
        put_name(c, text);
    } else {
        toolkit_set_text(c->prompt, text);
        gtk_editable_set_position(GTK_EDITABLE(c->prompt), -1);
    }
    toolkit_tell("completes: %s", toolkit_text(c->prompt));
    return TRUE;
}

/* ---- making ---- */

static void free_complete(struct complete *c)
{
    g_object_unref(c->store);
    g_free(c);
}

void dialog_complete_attach(GtkWidget *prompt, GtkWidget *subjects)
{
    struct complete *c = g_new0(struct complete, 1);
    GtkEntryCompletion *completion = gtk_entry_completion_new();

    c->prompt = prompt;
    c->subjects = subjects;
    c->store = gtk_list_store_new(N_COLUMNS, G_TYPE_STRING, G_TYPE_BOOLEAN);
    gtk_entry_completion_set_model(completion, GTK_TREE_MODEL(c->store));
    gtk_entry_completion_set_text_column(completion, COLUMN_TEXT);
    gtk_entry_completion_set_match_func(completion, fits, c, NULL);
    gtk_entry_completion_set_minimum_key_length(completion, 1);
    g_signal_connect(completion, "match-selected", G_CALLBACK(on_chosen), c);
    g_signal_connect_swapped(prompt, "focus-in-event", G_CALLBACK(on_focus), c);
    gtk_entry_set_completion(GTK_ENTRY(prompt), completion);
    g_object_unref(completion);
    g_object_set_data_full(G_OBJECT(prompt), "svdiff-complete", c, (GDestroyNotify)free_complete);
}
