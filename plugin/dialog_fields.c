/* Arguments as widgets; see dialog_fields.h. */
#include "plugin/dialog_fields.h"

#include "plugin/dialog_channels.h"
#include "plugin/dialog_complete.h"
#include "plugin/dialog_fit.h"
#include "plugin/dialog_history.h"
#include "plugin/dialog_model.h"
#include "plugin/dialog_number.h"
#include "plugin/dialog_regions.h"
#include "plugin/dialog_subjects.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/told.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <string.h>

#define OPENING_MS 50
#define CHARACTERS 44 // of a text that are seen

struct dialog_fields {
    const struct call *chosen; // borrowed: the dialog's, which changes it
    values *v;                 // borrowed
    GtkWidget *box;
    GtkWidget *first, *below; // the first ones; what is added below them
    GtkWidget **widgets;      // one an argument: what has its value
};

static bool is_number(const struct argument *p)
{
    return p->kind == ARGUMENT_INT || p->kind == ARGUMENT_NUMBER;
}

/* ---- what stands for numbers that nobody said ---- */

// several layers are learned together in more steps
// what the model says, p->own_from being a path in its defaults; -1: it says nothing
static double own_number(const struct dialog_fields *f, const struct argument *p,
                         JsonObject *defaults)
{
    const double number = told_number(defaults, p->own_from, -1);

    return f->v->procedure->id == PROCEDURE_COMPOSE && strcmp(p->own_from, "learn.steps") == 0
               ? svdiff_learn_steps((int)number, MAX(f->chosen->n_layers, 1))
               : number;
}

// numbers of the model that was chosen show where nobody said others
// defaults are the model's, from the command; borrowed for the call
static void on_model(void *user, JsonObject *defaults)
{
    struct dialog_fields *f = user;

    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const struct argument *p = &f->v->procedure->arguments[i];
        const double number = p->own_from != NULL ? own_number(f, p, defaults) : -1;
        if (number > 0) {
            dialog_number_own(f->widgets[i], number);
        }
    }
}

void dialog_fields_own(const struct dialog_fields *f, const char *name, double number)
{
    const size_t i = procedure_index(f->v->procedure, name);

    dialog_number_own(f->widgets[i], number);
}

/* ---- a widget for each kind of argument ---- */

// the words that people read; the words that scripts know stand in the same order
static char **split_words(const struct argument *p)
{
    return g_strsplit(p->choice_words != NULL ? _(p->choice_words) : p->choices, "|", -1);
}

static GtkWidget *choice_widget(const struct argument *p)
{
    g_auto(GStrv) words = split_words(p);
    GtkWidget *w = gtk_combo_box_text_new();

    for (int i = 0; words[i] != NULL; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(w), words[i]);
    }
    return w;
}

void dialog_fields_note(const struct dialog_fields *f, const char *name, int at, const char *note)
{
    const size_t i = procedure_index(f->v->procedure, name);
    g_auto(GStrv) words = split_words(&f->v->procedure->arguments[i]);
    GtkTreeModel *model = gtk_combo_box_get_model(GTK_COMBO_BOX(f->widgets[i]));
    g_autofree char *text =
        note != NULL ? g_strdup_printf("%s, %s", words[at], note) : g_strdup(words[at]);
    GtkTreeIter row;

    if (gtk_tree_model_iter_nth_child(model, &row, NULL, at)) {
        gtk_list_store_set(GTK_LIST_STORE(model), &row, 0, text, -1);
    }
}

// g_free it; NULL: nothing is
static char *chosen(GtkWidget *w, const struct argument *p)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);
    // the words that scripts know, by the place of those that people read
    const int at = gtk_combo_box_get_active(GTK_COMBO_BOX(w));

    return at >= 0 && at < (int)g_strv_length(words) ? g_strdup(words[at]) : NULL;
}

static void choose(GtkWidget *w, const struct argument *p, const char *text)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);

    for (int i = 0; words[i] != NULL; i++) {
        if (g_strcmp0(words[i], text) == 0) {
            gtk_combo_box_set_active(GTK_COMBO_BOX(w), i);
        }
    }
}

// what has the value; what is around it comes from dress
static GtkWidget *make_widget(const struct dialog_fields *f, size_t i)
{
    const struct argument *p = &f->v->procedure->arguments[i];

    return is_number(p)                  ? dialog_number_new(p)
           : p->kind == ARGUMENT_CHOICE  ? choice_widget(p)
           : p->kind == ARGUMENT_CHANNEL ? dialog_channels_new(f->chosen->image)
           : p->look == LOOK_PROMPT      ? dialog_history_new(p->name)
                                         : toolkit_entry(CHARACTERS);
}

// what is around a widget in the table
// w is in what is returned, or is it; the table has that
static GtkWidget *dress(struct dialog_fields *f, const struct argument *p, GtkWidget *w)
{
    switch (p->look) {
    case LOOK_SUBJECTS:
        // adapters are painted with, and not converted
        return dialog_subjects_new(w, strcmp(p->name, "subjects") == 0
                                          ? LISTED_SUBJECTS | LISTED_BROUGHT
                                          : LISTED_SUBJECTS);
    case LOOK_ADAPTERS:
        return dialog_subjects_new(w, LISTED_BROUGHT);
    case LOOK_PROMPT: // the list that the entry is in
        return dialog_history_widget(w);
    case LOOK_REGIONS:
        return dialog_regions_new(f->chosen, w, dialog_fields_inner(f, "subjects"));
    case LOOK_MODEL:
        return dialog_model_new(w, on_model, f);
    case LOOK_ENTRY:
    case LOOK_SIZE:
        break;
    }
    return is_number(p) ? dialog_number_widget(w) : w;
}

static void write_widget(const struct dialog_fields *f, size_t i)
{
    const struct argument *p = &f->v->procedure->arguments[i];
    const struct value *value = &f->v->items[i];

    if (is_number(p)) {
        // 0 and -1 as well: the field shows what stands for them
        dialog_number_set(f->widgets[i], value->number);
    } else if (p->kind == ARGUMENT_CHOICE) {
        choose(f->widgets[i], p, value->text);
    } else if (p->kind == ARGUMENT_CHANNEL) { // never one of another time: ids are not kept
        gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(f->widgets[i]), (int)value->number);
    } else {
        toolkit_set_text(f->widgets[i], value->text);
    }
}

static void read_widget(const struct dialog_fields *f, size_t i)
{
    const struct argument *p = &f->v->procedure->arguments[i];

    if (is_number(p)) {
        values_set_number(f->v, i, dialog_number_get(f->widgets[i]));
    } else if (p->kind == ARGUMENT_CHOICE) {
        g_autofree char *choice = chosen(f->widgets[i], p);
        values_set_text(f->v, i, choice);
    } else if (p->kind == ARGUMENT_CHANNEL) {
        values_set_number(f->v, i, dialog_channels_get(f->widgets[i]));
    } else {
        values_set_text(f->v, i, toolkit_text(f->widgets[i]));
    }
}

/* ---- all of them ---- */

// arguments with their names, in the order of the table of procedures
static GtkWidget *make_table(struct dialog_fields *f, bool advanced)
{
    GtkWidget *table = toolkit_table();
    int row = 1; // above is place for one that leads

    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const struct argument *p = &f->v->procedure->arguments[i];
        // every argument is in one table, or hidden: none is without a widget
        if (!p->hidden && p->advanced == advanced) {
            f->widgets[i] = make_widget(f, i);
            // the sentence that scripts read is the tooltip, too
            gimp_help_set_help_data(f->widgets[i], _(p->text), NULL);
            toolkit_attach(table, row++, _(p->label), dress(f, p, f->widgets[i]), f->widgets[i]);
        }
    }
    return table;
}

// GTK 2 moves it there first
// user: the expander, with a reference of this source
static gboolean on_opening(void *user)
{
    GtkWidget *table = gtk_bin_get_child(GTK_BIN(user));

    if (table == NULL || !gtk_expander_get_expanded(GTK_EXPANDER(user))) {
        return G_SOURCE_REMOVE;
    }
    if (!gtk_widget_get_mapped(table)) {
        return G_SOURCE_CONTINUE;
    }
    dialog_fit_show(gtk_widget_get_ancestor(user, GTK_TYPE_SCROLLED_WINDOW), user);
    toolkit_tell("fields: those under Advanced are seen");
    return G_SOURCE_REMOVE;
}

static void on_expanded(GtkExpander *expander, GParamSpec *what, void *table)
{
    gtk_widget_set_visible(table, gtk_expander_get_expanded(expander));
    if (gtk_expander_get_expanded(expander)) {
        g_timeout_add_full(G_PRIORITY_DEFAULT, OPENING_MS, on_opening, g_object_ref(expander),
                           g_object_unref);
    }
}

// they have a widget, too, which is never seen
static void add_hidden(struct dialog_fields *f, GtkWidget *box)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        if (f->v->procedure->arguments[i].hidden) {
            f->widgets[i] = make_widget(f, i);
            gtk_widget_set_no_show_all(f->widgets[i], TRUE);
            toolkit_add(box, f->widgets[i], NULL);
        }
    }
}

static GtkWidget *make_fields(struct dialog_fields *f)
{
    GtkWidget *expander = gtk_expander_new_with_mnemonic(_("_Advanced"));

    // what is added later goes between the first ones and Advanced
    f->first = make_table(f, false);
    f->below = toolkit_hidden(toolkit_column(12, NULL));       // nothing takes no place
    GtkWidget *advanced = toolkit_hidden(make_table(f, true)); // GTK 3 would give it the keys
    gtk_container_add(GTK_CONTAINER(expander), advanced);
    g_signal_connect(expander, "notify::expanded", G_CALLBACK(on_expanded), advanced);
    GtkWidget *box = toolkit_column(12, f->first, f->below, expander, NULL);
    add_hidden(f, box);
    return dialog_fit_new(box);
}

// where subjects are ticked, a name that is typed into a prompt ticks its subject
static void complete_prompts(const struct dialog_fields *f)
{
    GtkWidget *subjects = values_has(f->v, "subjects") ? dialog_fields_inner(f, "subjects") : NULL;

    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        if (f->v->procedure->arguments[i].look == LOOK_PROMPT) {
            dialog_complete_attach(f->widgets[i], subjects);
        }
    }
}

struct dialog_fields *dialog_fields_new(const struct call *chosen, values *v)
{
    struct dialog_fields *f = g_new0(struct dialog_fields, 1);

    f->chosen = chosen;
    f->v = v;
    f->widgets = g_new0(GtkWidget *, v->procedure->n_arguments);
    f->box = make_fields(f);
    complete_prompts(f);
    dialog_fields_write(f);
    return f;
}

void dialog_fields_free(struct dialog_fields *f)
{
    g_free(f->widgets);
    g_free(f);
}

GtkWidget *dialog_fields_widget(const struct dialog_fields *f)
{
    return f->box;
}

GtkWidget *dialog_fields_inner(const struct dialog_fields *f, const char *name)
{
    return f->widgets[procedure_index(f->v->procedure, name)];
}

void dialog_fields_lead(const struct dialog_fields *f, const char *name, GtkWidget *widget,
                        GtkWidget *inner)
{
    toolkit_attach(f->first, 0, name, widget, inner);
}

void dialog_fields_add(const struct dialog_fields *f, GtkWidget *widget)
{
    toolkit_add(f->below, widget, NULL);
    gtk_widget_show_all(widget);
    gtk_widget_show(f->below);
}

/* A new estimate costs the worker's start: words ask for one only where the last one failed, maybe
 * for want of them. */
void dialog_fields_watch(const struct dialog_fields *f, void (*words)(void *user),
                         void (*figures)(void *user), void *user)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const struct argument *p = &f->v->procedure->arguments[i];
        if (is_number(p)) {
            dialog_number_watch(f->widgets[i], figures, user);
        } else {
            g_signal_connect_swapped(f->widgets[i], "changed",
                                     G_CALLBACK(p->kind == ARGUMENT_TEXT ? words : figures), user);
        }
    }
}

void dialog_fields_read(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        read_widget(f, i);
    }
}

values *dialog_fields_values(const struct dialog_fields *f)
{
    struct dialog_fields now = *f;

    now.v = values_copy(f->v);
    dialog_fields_read(&now);
    return now.v;
}

void dialog_fields_write(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        write_widget(f, i);
    }
}

// each of them leaves what is chosen as it is, and does nothing where nothing is new
void dialog_fields_renew(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const struct argument *p = &f->v->procedure->arguments[i];
        if (p->kind == ARGUMENT_CHANNEL) {
            dialog_channels_renew(f->widgets[i], f->chosen->image);
        } else if (p->look == LOOK_SUBJECTS || p->look == LOOK_ADAPTERS) {
            dialog_subjects_renew(f->widgets[i]);
        } else if (p->look == LOOK_REGIONS) {
            dialog_regions_renew(f->widgets[i]);
        }
    }
}

void dialog_fields_keep(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        if (f->v->procedure->arguments[i].look == LOOK_PROMPT) {
            dialog_history_keep(f->widgets[i]);
        }
    }
}
