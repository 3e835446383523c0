/* Prompts of before; see dialog_history.h. They lie in the file of the last values, in a group of
 * their own, and are shared by all procedures that have an argument of the name. */
#include "plugin/dialog_history.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/values.h"

#include <string.h>

#define GROUP      "history"
#define TEXTS_MAX  20
#define CHARACTERS 44 // that are seen of the entry

// those that are kept, the last used first; g_strfreev it
static char **load(GKeyFile *file, const char *name)
{
    char **texts = g_key_file_get_string_list(file, GROUP, name, NULL, NULL);

    return texts != NULL ? texts : g_new0(char *, 1);
}

GtkWidget *dialog_history_new(const char *name)
{
    GtkWidget *combo = gtk_combo_box_text_new_with_entry();
    GtkWidget *entry = gtk_bin_get_child(GTK_BIN(combo));
    g_autofree char *path = host_values_file();
    g_autoptr(GKeyFile) file = values_file(path);
    g_auto(GStrv) texts = load(file, name);

    for (char **text = texts; *text != NULL; text++) {
        if (g_utf8_validate(*text, -1, NULL)) {
            gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), *text);
        }
    }
    toolkit_set_entry(entry, CHARACTERS);
    // of the table of procedures, which stays
    g_object_set_data(G_OBJECT(entry), "svdiff-history", (void *)name);
    g_object_set_data(G_OBJECT(entry), "svdiff-combo", combo);
    return entry;
}

GtkWidget *dialog_history_widget(GtkWidget *entry)
{
    return g_object_get_data(G_OBJECT(entry), "svdiff-combo"); // in GTK 3 it is no parent
}

// how many prompts to start from are in the list
static int count_offered(GtkWidget *entry)
{
    return GPOINTER_TO_INT(g_object_get_data(G_OBJECT(entry), "svdiff-offered"));
}

void dialog_history_offer(GtkWidget *entry, char **prompts)
{
    GtkComboBoxText *combo = GTK_COMBO_BOX_TEXT(dialog_history_widget(entry));
    const int n = (int)g_strv_length(prompts);

    // those of before are the first rows
    for (int i = count_offered(entry); i > 0; i--) {
        gtk_combo_box_text_remove(combo, 0);
    }
    for (int i = 0; i < n; i++) {
        gtk_combo_box_text_insert_text(combo, i, prompts[i]);
    }
    g_object_set_data(G_OBJECT(entry), "svdiff-offered", GINT_TO_POINTER(n));
}

void dialog_history_keep(GtkWidget *entry)
{
    const char *name = g_object_get_data(G_OBJECT(entry), "svdiff-history");
    const char *text = toolkit_text(entry);
    g_autofree char *path = host_values_file();
    g_autoptr(GKeyFile) file = values_file(path);
    g_auto(GStrv) before = load(file, name);
    const char *kept[TEXTS_MAX] = {text};
    gsize n = 1;

    if (text[0] == '\0' || g_strcmp0(text, before[0]) == 0) {
        return;
    }
    for (char **old = before; *old != NULL && n < TEXTS_MAX; old++) {
        if (strcmp(*old, text) != 0) {
            kept[n++] = *old;
        }
    }
    g_key_file_set_string_list(file, GROUP, name, kept, n);
    g_key_file_save_to_file(file, path, NULL); // of no consequence, and the values will say it
    gtk_combo_box_text_insert_text(GTK_COMBO_BOX_TEXT(dialog_history_widget(entry)),
                                   count_offered(entry), text);
}
