/* Rows of layers; see dialog_layers.h. A layer's prompt is "a photo of a [V] fox" for what a person
 * calls a fox; another prompt, which a script or a person wrote, is shown as it is. */
#include "plugin/dialog_layers.h"

#include "plugin/dialog_rows.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/region_list.h"
#include "plugin/thing.h"
#include "plugin/words.h"

#include <string.h>

struct layers {
    const struct call *chosen;
    struct dialog_rows rows;
    GtkWidget *prompts, *places; // entries
    GArray *shown;               // host_item, whose rows they are
    bool begun;                  // what the layers' names say was taken
    void (*things)(void *user, const char *things);
    void *user;
};

static void free_layers(struct layers *l)
{
    dialog_rows_finish(&l->rows);
    g_array_unref(l->shown);
    g_free(l);
}

/* ---- words and prompts ---- */

// what the words stand for, which are a whole prompt where they mark the subject; g_free it
static char *prompt_of(const char *words)
{
    return words[0] == '\0' || strstr(words, "[V") != NULL ? g_strdup(words) : thing_prompt(words);
}

// "fox" of "a photo of a [V] fox"; g_free it
static char *words_of(const char *prompt)
{
    g_autofree char *begin = thing_prompt("x");
    // without the x
    const size_t length = strlen(begin) - 1;

    return g_strdup(strncmp(prompt, begin, length) == 0 ? prompt + length : prompt);
}

// "a fox and a cat", of the rows that say something; g_free it
static char *list_things(const struct layers *l)
{
    g_autoptr(GStrvBuilder) things = g_strv_builder_new();

    for (guint i = 0; i < l->rows.list->len; i++) {
        const char *words = dialog_row_words(dialog_rows_at(&l->rows, i));
        if (words[0] != '\0') {
            g_autofree char *thing = thing_named(words);
            g_strv_builder_add(things, thing);
        }
    }
    g_auto(GStrv) list = g_strv_builder_end(things);
    return thing_list(list);
}

/* ---- from one to the other ---- */

// both entries are empty where no row says anything
static void on_row(void *user)
{
    struct layers *l = user;
    g_autoptr(GString) prompts = g_string_new(NULL), places = g_string_new(NULL);
    g_autofree char *things = list_things(l);
    bool said = false, placed = false;

    for (guint i = 0; i < l->rows.list->len; i++) {
        const struct dialog_row *row = dialog_rows_at(&l->rows, i);
        g_autofree char *prompt = prompt_of(dialog_row_words(row));
        const char *place = dialog_row_place(row), *joint = i > 0 ? "; " : "";
        g_string_append_printf(prompts, "%s%s", joint, prompt);
        g_string_append_printf(places, "%s%s", joint, place);
        said = said || prompt[0] != '\0';
        placed = placed || place[0] != '\0';
    }
    // "; ; " would be a list of three empty prompts
    g_string_truncate(prompts, said ? prompts->len : 0);
    g_string_truncate(places, placed ? places->len : 0);
    dialog_rows_write(&l->rows, l->prompts, prompts->str);
    dialog_rows_write(&l->rows, l->places, places->str);
    toolkit_tell("layers: %s | %s", prompts->str, places->str);
    dialog_rows_show(&l->rows);
    l->things(l->user, things);
}

/* What a layer is: what its name says, in the beginning, and what was said of as many layers. */
static char *words_for(const struct layers *l, guint i, char **prompts)
{
    g_autofree char *name = host_item_name(l->chosen->layers[i]);
    g_autofree char *thing = thing_of_name(name);

    if (thing != NULL && !l->begun) {
        return g_steal_pointer(&thing);
    }
    return g_strv_length(prompts) == l->rows.list->len ? words_of(g_strstrip(prompts[i]))
                                                       : g_strdup(thing != NULL ? thing : "");
}

static void on_entry(struct layers *l)
{
    g_auto(GStrv) prompts = g_strsplit_set(toolkit_text(l->prompts), ";\n", -1);
    // a place may have ; in its name, a prompt has not
    g_auto(GStrv) places = regions_places(toolkit_text(l->places), l->rows.names);
    const bool placed = g_strv_length(places) == l->rows.list->len;

    if (l->rows.writing) {
        return;
    }
    for (guint i = 0; i < l->rows.list->len; i++) {
        g_autofree char *words = words_for(l, i, prompts);
        dialog_rows_say(&l->rows, i, words, placed ? places[i] : "");
    }
    // from here on what is written counts before the layers' names
    l->begun = true;
    on_row(l);
}

/* ---- rows ---- */

static void add_layer(struct layers *l, host_item layer, const char *words, const char *place)
{
    g_autoptr(GdkPixbuf) small = toolkit_thumbnail(layer, ROW_PICTURE_SIDE);
    const struct dialog_row *row = dialog_rows_add(&l->rows, words, place);

    gtk_image_set_from_pixbuf(GTK_IMAGE(row->picture), small);
    gtk_widget_show(row->picture);
    gtk_widget_set_tooltip_text(row->words, _("What the layer shows, in a word or two: fox."));
    g_array_append_val(l->shown, layer);
}

// what was said of the layer, else what its name says; g_free both
static void find_said(const struct layers *l, host_item layer, char **words, char **place)
{
    for (guint i = 0; i < l->shown->len; i++) {
        if (g_array_index(l->shown, host_item, i) == layer) {
            *words = g_strdup(dialog_row_words(dialog_rows_at(&l->rows, i)));
            *place = g_strdup(dialog_row_place(dialog_rows_at(&l->rows, i)));
            return;
        }
    }
    g_autofree char *name = host_item_name(layer);
    g_autofree char *thing = thing_of_name(name);
    *words = g_strdup(thing != NULL ? thing : "");
    *place = g_strdup("");
}

// rows for the layers that are chosen now
static void fill(struct layers *l)
{
    const int n = l->chosen->n_layers;
    g_auto(GStrv) words = g_new0(char *, n + 1);
    g_auto(GStrv) places = g_new0(char *, n + 1);

    for (int i = 0; i < n; i++) {
        // before the rows go, in which it stands
        find_said(l, l->chosen->layers[i], &words[i], &places[i]);
    }
    dialog_rows_clear(&l->rows);
    g_array_set_size(l->shown, 0);
    for (int i = 0; i < n; i++) {
        add_layer(l, l->chosen->layers[i], words[i], places[i]);
    }
}

// the same layers in the same order
static bool are_shown(const struct layers *l)
{
    const size_t n = l->shown->len;

    return n == (size_t)l->chosen->n_layers &&
           (n == 0 || memcmp(l->shown->data, l->chosen->layers, n * sizeof(host_item)) == 0);
}

bool dialog_layers_renew(GtkWidget *layers)
{
    struct layers *l = g_object_get_data(G_OBJECT(layers), "svdiff-layers");

    if (are_shown(l) && !dialog_rows_are_old(&l->rows)) {
        return false;
    }
    // also when only the names of places changed: the lists in the rows are of the old ones
    fill(l);
    on_row(l);
    return true;
}

GtkWidget *dialog_layers_new(const struct call *chosen, GtkWidget *prompts, GtkWidget *places,
                             void (*things)(void *user, const char *things), void *user)
{
    struct layers *l = g_new0(struct layers, 1);

    *l = (struct layers){
        .chosen = chosen, .prompts = prompts, .places = places, .things = things, .user = user};
    l->shown = g_array_new(FALSE, FALSE, sizeof(host_item));
    dialog_rows_init(&l->rows, chosen, _("(anywhere)"), on_row, l);
    fill(l);
    GtkWidget *row = toolkit_row(12, l->rows.map, toolkit_grows(l->rows.scrolled), NULL);
    g_object_set_data_full(G_OBJECT(row), "svdiff-layers", l, (GDestroyNotify)free_layers);
    on_entry(l);
    g_signal_connect_swapped(prompts, "changed", G_CALLBACK(on_entry), l);
    g_signal_connect_swapped(places, "changed", G_CALLBACK(on_entry), l);
    return row;
}
