/* What painting asks; see dialog_paint.h.
 *
 * The prompts to start from are those of the subjects that are ticked, of the layers that are
 * composed, or of what the edited layer shows. A prompt that is one of them, or empty, becomes the
 * same of other subjects when those are chosen; what a person wrote stays. */
#include "plugin/dialog_paint.h"

#include "plugin/beginning.h"
#include "plugin/dialog_history.h"
#include "plugin/dialog_layers.h"
#include "plugin/dialog_number.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/scenes.h"
#include "plugin/thing.h"
#include "plugin/words.h"

#include <string.h>

#define LEAD      "a photo of "
#define WORDS_MAX 4 // of a description that is a thing alone

struct paint {
    GtkWidget *prompt, *model; // entries
    GtkWidget *source;         // of subjects, or of what is edited
    GtkWidget *layers;         // dialog_layers_new, NULL: none
    char **offered;            // prompts
};

static void free_paint(struct paint *p)
{
    g_strfreev(p->offered);
    g_free(p);
}

// which of these it is; -1: none
static int find(char **texts, const char *text)
{
    for (int i = 0; texts != NULL && texts[i] != NULL; i++) {
        if (strcmp(texts[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

// takes the prompts; fills: whether an empty prompt becomes the first of them
static void offer(struct paint *p, char **prompts, bool fills)
{
    // the scene stays: "in the snow" of a fox becomes "in the snow" of a cat
    const int begun = find(p->offered, toolkit_text(p->prompt));
    const bool empty = fills && toolkit_text(p->prompt)[0] == '\0';

    if (empty || (begun >= 0 && begun < (int)g_strv_length(prompts))) {
        toolkit_set_text(p->prompt, prompts[MAX(begun, 0)]);
    }
    // after the prompt was looked for among them
    g_strfreev(p->offered);
    p->offered = prompts;
    dialog_history_offer(p->prompt, prompts);
}

static void on_prompt(GtkWidget *entry, void *user)
{
    toolkit_tell("paint: prompt %s", toolkit_text(entry));
}

static struct paint *paint_new(const struct dialog_fields *fields, const char *prompt)
{
    struct paint *p = g_new0(struct paint, 1);

    p->prompt = dialog_fields_inner(fields, prompt);
    p->model = dialog_fields_inner(fields, "model");
    // freed with the fields, whose entries call it
    g_object_set_data_full(G_OBJECT(dialog_fields_widget(fields)), "svdiff-paint", p,
                           (GDestroyNotify)free_paint);
    g_signal_connect(p->prompt, "changed", G_CALLBACK(on_prompt), NULL);
    return p;
}

/* ---- subjects ---- */

static void on_subjects(struct paint *p)
{
    // without a subject an empty prompt stays empty: the person wants something else
    offer(p, beginning_prompts(toolkit_text(p->source), toolkit_text(p->model)),
          toolkit_text(p->source)[0] != '\0');
}

// the strength says how far from where it starts, which is nowhere without a picture
static void on_init(GtkWidget *init, void *user)
{
    GtkWidget *strength = user;
    GtkWidget *row = dialog_number_widget(strength);
    const bool starts = gtk_combo_box_get_active(GTK_COMBO_BOX(init)) > 0;
    g_autoptr(GList) labels = gtk_widget_list_mnemonic_labels(strength);

    // else the window's own showing brings it back
    gtk_widget_set_no_show_all(row, TRUE);
    gtk_widget_set_visible(row, starts);
    // the word beside it goes as well
    for (GList *label = labels; label != NULL; label = label->next) {
        gtk_widget_set_no_show_all(label->data, TRUE);
        gtk_widget_set_visible(label->data, starts);
    }
}

static void follow_init(const struct dialog_fields *fields)
{
    GtkWidget *init = dialog_fields_inner(fields, "init");
    GtkWidget *strength = dialog_fields_inner(fields, "strength");

    gtk_widget_show_all(dialog_number_widget(strength));
    on_init(init, strength);
    g_signal_connect(init, "changed", G_CALLBACK(on_init), strength);
}

static void add_subjects(const struct dialog_fields *fields)
{
    struct paint *p = paint_new(fields, "prompt");

    p->source = dialog_fields_inner(fields, "subjects");
    on_subjects(p);
    on_prompt(p->prompt, NULL);
    g_signal_connect_swapped(p->source, "changed", G_CALLBACK(on_subjects), p);
    g_signal_connect_swapped(p->model, "changed", G_CALLBACK(on_subjects), p);
}

/* ---- layers ---- */

static void on_things(void *user, const char *things)
{
    struct paint *p = user;

    if (things[0] != '\0') {
        offer(p, scenes_of(things, toolkit_text(p->model)[0] == '\0'), true);
    }
}

static void add_layers(const struct call *chosen, const struct dialog_fields *fields)
{
    struct paint *p = paint_new(fields, "prompt");

    p->layers = dialog_layers_new(chosen, dialog_fields_inner(fields, "prompts"),
                                  dialog_fields_inner(fields, "region-channels"), on_things, p);
    dialog_fields_lead(fields, _("Layers"), p->layers, p->layers);
}

bool dialog_paint_renew(const struct dialog_fields *fields)
{
    const struct paint *p =
        g_object_get_data(G_OBJECT(dialog_fields_widget(fields)), "svdiff-paint");

    return p != NULL && p->layers != NULL && dialog_layers_renew(p->layers);
}

/* ---- what is edited ---- */

// "a fox" of "a photo of a fox", if that is all; g_free it
static char *described(const char *prompt)
{
    const char *thing = g_str_has_prefix(prompt, LEAD) ? prompt + strlen(LEAD) : prompt;
    g_auto(GStrv) words = g_strsplit(thing, " ", -1);
    const guint n = g_strv_length(words);

    // more words are a scene already, which no place is added to
    return n >= 1 && n <= WORDS_MAX ? g_strdup(thing) : g_strdup("");
}

static void on_description(struct paint *p)
{
    g_autofree char *thing = described(toolkit_text(p->source));

    if (thing[0] != '\0') {
        offer(p, scenes_of(thing, toolkit_text(p->model)[0] == '\0'), true);
    }
}

// the layer's name may say what it shows; what was kept is of that, or of another layer
static void describe(const struct call *chosen, GtkWidget *prompt)
{
    g_autofree char *name = chosen->n_layers > 0 ? host_item_name(chosen->layers[0]) : NULL;
    g_autofree char *thing = name != NULL ? thing_of_name(name) : NULL;

    if (thing != NULL && strstr(toolkit_text(prompt), thing) == NULL) {
        g_autofree char *named = thing_named(thing);
        g_autofree char *text = g_strconcat(LEAD, named, NULL);
        toolkit_set_text(prompt, text);
    }
}

static void add_description(const struct call *chosen, const struct dialog_fields *fields)
{
    struct paint *p = paint_new(fields, "target");

    p->source = dialog_fields_inner(fields, "prompt");
    on_description(p);
    g_signal_connect_swapped(p->source, "changed", G_CALLBACK(on_description), p);
    describe(chosen, p->source);
    on_prompt(p->prompt, NULL);
}

void dialog_paint_add(struct dialog_target *target, struct dialog_fields *fields)
{
    const enum procedure_id id = target->procedure->id;

    if (id == PROCEDURE_GENERATE || id == PROCEDURE_CREATE) {
        add_subjects(fields);
    } else if (id == PROCEDURE_COMPOSE) {
        add_layers(&target->call, fields);
    } else if (id == PROCEDURE_EDIT) {
        add_description(&target->call, fields);
    }
    if (id == PROCEDURE_GENERATE) {
        follow_init(fields);
    }
}
