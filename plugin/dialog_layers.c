/* Rows of layers; see dialog_layers.h. A layer's prompt is "a photo of a [V] fox" for what a person
 * calls a fox; another prompt, which a script or a person wrote, is shown as it is. */
#include "plugin/dialog_layers.h"

#include "plugin/dialog_map.h"
#include "plugin/dialog_places.h"
#include "plugin/dialog_row.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/region_list.h"
#include "plugin/spot.h"
#include "plugin/thing.h"
#include "plugin/words.h"

#include <string.h>

#define ROWS_SEEN  2 // the others are scrolled to
#define ROW_HEIGHT 35

struct layers {
    const struct call *chosen;
    GtkWidget *prompts, *places; // entries
    GtkWidget *map, *rows, *scrolled;
    GArray *list;  // struct dialog_row
    GArray *shown; // host_item, whose rows they are
    char **names;  // of the places that can be chosen
    bool writing;  // one of the two into the other
    bool begun;    // what the layers' names say was taken
    void (*things)(void *user, const char *things);
    void *user;
};

static void free_layers(void *data)
{
    struct layers *l = data;

    g_array_unref(l->list);
    g_array_unref(l->shown);
    g_strfreev(l->names);
    g_free(l);
}

static const struct dialog_row *row_at(const struct layers *l, guint i)
{
    return &g_array_index(l->list, struct dialog_row, i);
}

/* ---- words and prompts ---- */

// what the words stand for; g_free it
static char *prompt_of(const char *words)
{
    return words[0] == '\0' || strstr(words, "[V") != NULL ? g_strdup(words) : thing_prompt(words);
}

// "fox" of "a photo of a [V] fox"; g_free it
static char *words_of(const char *prompt)
{
    g_autofree char *begin = thing_prompt("x");
    const size_t length = strlen(begin) - 1;

    return g_strdup(strncmp(prompt, begin, length) == 0 ? prompt + length : prompt);
}

static char *article_of(const char *thing)
{
    const bool plain = strstr(thing, "[V") != NULL;

    return plain ? g_strdup("") : g_strdup(strchr("aeiouAEIOU", thing[0]) != NULL ? "an " : "a ");
}

// "a fox and a cat"; g_free it
static char *list_things(const struct layers *l)
{
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < l->list->len; i++) {
        const char *words = dialog_row_words(row_at(l, i));
        if (words[0] != '\0') {
            g_autofree char *article = article_of(words);
            const char *joint = all->len == 0 ? "" : i + 1 == l->list->len ? " and " : ", ";
            g_string_append_printf(all, "%s%s%s", joint, article, words);
        }
    }
    return g_string_free(all, FALSE);
}

/* ---- from one to the other ---- */

static void show(const struct layers *l)
{
    g_autofree const char **places = g_new(const char *, l->list->len + 1);
    g_autofree const char **texts = g_new(const char *, l->list->len + 1);
    g_autofree char *things = list_things(l);

    for (guint i = 0; i < l->list->len; i++) {
        places[i] = dialog_places_get(row_at(l, i)->place);
        texts[i] = dialog_row_words(row_at(l, i));
    }
    dialog_map_show(l->map, places, texts, (int)l->list->len);
    l->things(l->user, things);
}

// both entries are empty where no row says anything
static void on_row(void *user)
{
    struct layers *l = user;
    g_autoptr(GString) prompts = g_string_new(NULL), places = g_string_new(NULL);
    bool said = false, placed = false;

    if (l->writing) {
        return;
    }
    for (guint i = 0; i < l->list->len; i++) {
        const struct dialog_row *row = row_at(l, i);
        g_autofree char *prompt = prompt_of(dialog_row_words(row));
        const char *place = dialog_places_get(row->place);
        g_string_append_printf(prompts, "%s%s", i > 0 ? "; " : "", prompt);
        g_string_append_printf(places, "%s%s", i > 0 ? "; " : "", place);
        said = said || prompt[0] != '\0';
        placed = placed || place[0] != '\0';
    }
    l->writing = true;
    gtk_entry_set_text(GTK_ENTRY(l->prompts), said ? prompts->str : "");
    gtk_entry_set_text(GTK_ENTRY(l->places), placed ? places->str : "");
    l->writing = false;
    toolkit_tell("layers: %s | %s", said ? prompts->str : "", placed ? places->str : "");
    show(l);
}

/* What a layer is: what its name says, in the beginning, and what was said of as many layers. */
static char *words_for(const struct layers *l, guint i, char **prompts)
{
    g_autofree char *name = host_item_name(l->chosen->layers[i]);
    g_autofree char *thing = thing_of_name(name);

    if (thing != NULL && !l->begun) {
        return g_steal_pointer(&thing);
    }
    return g_strv_length(prompts) == l->list->len ? words_of(g_strstrip(prompts[i]))
                                                  : g_strdup(thing != NULL ? thing : "");
}

static void on_entry(GtkEditable *entry, void *user)
{
    struct layers *l = user;
    g_auto(GStrv) prompts = g_strsplit_set(gtk_entry_get_text(GTK_ENTRY(l->prompts)), ";\n", -1);
    g_auto(GStrv) names = spot_names(l->chosen->image);
    g_auto(GStrv) places = regions_places(gtk_entry_get_text(GTK_ENTRY(l->places)), names);
    const bool placed = g_strv_length(places) == l->list->len;

    if (l->writing) {
        return;
    }
    l->writing = true;
    for (guint i = 0; i < l->list->len; i++) {
        g_autofree char *words = words_for(l, i, prompts);
        gtk_entry_set_text(GTK_ENTRY(row_at(l, i)->words), words);
        dialog_places_set(row_at(l, i)->place, placed ? places[i] : "");
    }
    l->writing = false;
    l->begun = true;
    on_row(l);
}

/* ---- making ---- */

static void add_layer(struct layers *l, host_item layer, int number)
{
    g_autoptr(GdkPixbuf) small = toolkit_thumbnail(layer, ROW_PICTURE_SIDE);
    struct dialog_row row;

    dialog_row_init(&row, number, l->chosen->image, _("(anywhere)"), on_row, l);
    gtk_image_set_from_pixbuf(GTK_IMAGE(row.picture), small);
    gtk_widget_show(row.picture);
    gtk_widget_set_tooltip_text(row.words, _("What the layer shows, in a word or two: fox."));
    gtk_box_pack_start(GTK_BOX(l->rows), row.box, FALSE, FALSE, 0);
    gtk_widget_show_all(row.box);
    g_array_append_val(l->list, row);
    g_array_append_val(l->shown, layer);
}

// the rows, without what they say
static void fill(struct layers *l)
{
    const int n = l->chosen->n_layers;

    l->writing = true;
    for (guint i = 0; i < l->list->len; i++) {
        gtk_widget_destroy(row_at(l, i)->box);
    }
    g_array_set_size(l->list, 0);
    g_array_set_size(l->shown, 0);
    for (int i = 0; i < n; i++) {
        add_layer(l, l->chosen->layers[i], i);
    }
    l->writing = false;
    g_strfreev(l->names);
    l->names = spot_names(l->chosen->image);
    gtk_widget_set_size_request(l->scrolled, -1, ROW_HEIGHT * MIN(n, ROWS_SEEN) + 4);
}

/* ---- when the image was worked on ---- */

static bool is_same(const struct layers *l)
{
    g_auto(GStrv) names = spot_names(l->chosen->image);

    return l->shown->len == (guint)l->chosen->n_layers &&
           (l->shown->len == 0 ||
            memcmp(l->shown->data, l->chosen->layers, l->shown->len * sizeof(host_item)) == 0) &&
           g_strv_equal((const char *const *)names, (const char *const *)l->names);
}

// what was said of the layer, else what its name says
static void say_again(const struct layers *l, host_item layer, GString *prompts, GString *places)
{
    g_autofree char *name = host_item_name(layer);
    g_autofree char *words = thing_of_name(name);
    const char *place = "", *joint = prompts->len > 0 ? "; " : "";

    for (guint i = 0; i < l->shown->len; i++) {
        if (g_array_index(l->shown, host_item, i) == layer) {
            g_free(words);
            words = g_strdup(dialog_row_words(row_at(l, i)));
            place = dialog_places_get(row_at(l, i)->place);
        }
    }
    g_autofree char *prompt = prompt_of(words != NULL ? words : "");
    g_string_append_printf(prompts, "%s%s", joint, prompt);
    g_string_append_printf(places, "%s%s", joint, place);
}

bool dialog_layers_renew(GtkWidget *layers)
{
    struct layers *l = g_object_get_data(G_OBJECT(layers), "svdiff-layers");
    g_autoptr(GString) prompts = g_string_new(NULL), places = g_string_new(NULL);

    if (is_same(l)) {
        return false;
    }
    for (int i = 0; i < l->chosen->n_layers; i++) {
        say_again(l, l->chosen->layers[i], prompts, places);
    }
    fill(l);
    l->writing = true;
    gtk_entry_set_text(GTK_ENTRY(l->prompts), prompts->str);
    gtk_entry_set_text(GTK_ENTRY(l->places), places->str);
    l->writing = false;
    on_entry(NULL, l);
    return true;
}

/* ---- the beginning ---- */

static void make_rows(struct layers *l)
{
    l->rows = toolkit_column(4);
    l->scrolled = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(l->scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    toolkit_add_scrolled(l->scrolled, l->rows);
    fill(l);
}

GtkWidget *dialog_layers_new(const struct call *chosen, GtkWidget *prompts, GtkWidget *places,
                             void (*things)(void *user, const char *things), void *user)
{
    struct layers *l = g_new0(struct layers, 1);
    GtkWidget *row = toolkit_row(12);

    *l = (struct layers){
        .chosen = chosen, .prompts = prompts, .places = places, .things = things, .user = user};
    l->list = g_array_new(FALSE, FALSE, sizeof(struct dialog_row));
    l->shown = g_array_new(FALSE, FALSE, sizeof(host_item));
    l->map = dialog_map_new(chosen);
    make_rows(l);
    gtk_widget_set_tooltip_text(l->map, _("The image with the places, each in its row's colour."));
    gtk_box_pack_start(GTK_BOX(row), l->map, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row), l->scrolled, TRUE, TRUE, 0);
    g_object_set_data_full(G_OBJECT(row), "svdiff-layers", l, free_layers);
    on_entry(NULL, l);
    g_signal_connect(prompts, "changed", G_CALLBACK(on_entry), l);
    g_signal_connect(places, "changed", G_CALLBACK(on_entry), l);
    return row;
}
