/* Arguments as widgets; see dialog_fields.h. */
#include "plugin/dialog_fields.h"

#include "plugin/dialog_history.h"
#include "plugin/dialog_model.h"
#include "plugin/dialog_subjects.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#define ADVANCED_HEIGHT 170 // pixels

struct dialog_fields {
    const struct call *chosen;
    values *v;
    GtkWidget *box;
    GtkWidget **widgets; // one an argument: what has its value
};

/* ---- a widget for each kind of argument ---- */

static GtkWidget *choice_widget(const struct argument *p)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);
    GtkWidget *w = gtk_combo_box_text_new();

    for (int i = 0; words[i] != NULL; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(w), words[i]);
    }
    return w;
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

static GtkWidget *number_widget(const struct argument *p)
{
    const bool whole = p->kind == ARGUMENT_INT;
    GtkWidget *w = gtk_spin_button_new_with_range(p->low, p->high, whole ? 1 : 0.01);

    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(w), whole ? 0 : 4);
    gtk_entry_set_activates_default(GTK_ENTRY(w), TRUE);
    return w;
}

static GtkWidget *text_widget(void)
{
    GtkWidget *w = gtk_entry_new();

    gtk_entry_set_width_chars(GTK_ENTRY(w), 44);
    gtk_entry_set_activates_default(GTK_ENTRY(w), TRUE);
    return w;
}

static GtkWidget *make_widget(const struct dialog_fields *f, size_t i)
{
    const struct argument *p = &f->v->procedure->arguments[i];

    switch (p->kind) {
    case ARGUMENT_INT:
    case ARGUMENT_NUMBER:
        return number_widget(p);
    case ARGUMENT_CHOICE:
        return choice_widget(p);
    case ARGUMENT_CHANNEL:
        return toolkit_channels(f->chosen->image);
    case ARGUMENT_TEXT:
    case ARGUMENT_FILE:
        break;
    }
    return p->look == LOOK_PROMPT ? dialog_history_new(p->name) : text_widget();
}

// what is around a widget in the table
static GtkWidget *dress(const struct argument *p, GtkWidget *w)
{
    switch (p->look) {
    case LOOK_SUBJECTS:
        return dialog_subjects_new(w);
    case LOOK_PROMPT: // the list that the entry is in
        return dialog_history_widget(w);
    case LOOK_MODEL:
        return dialog_model_new(w);
    case LOOK_ENTRY:
        break;
    }
    return w;
}

static void write_widget(const struct dialog_fields *f, size_t i)
{
    const struct argument *p = &f->v->procedure->arguments[i];
    const struct value *value = &f->v->items[i];
    GtkWidget *w = f->widgets[i];

    switch (p->kind) {
    case ARGUMENT_INT:
    case ARGUMENT_NUMBER:
        gtk_spin_button_set_value(GTK_SPIN_BUTTON(w), value->number);
        break;
    case ARGUMENT_CHOICE:
        choose(w, p, value->text);
        break;
    case ARGUMENT_CHANNEL: // ids are never kept
        break;
    case ARGUMENT_TEXT:
    case ARGUMENT_FILE:
        gtk_entry_set_text(GTK_ENTRY(w), value->text);
        break;
    }
}

static void read_widget(const struct dialog_fields *f, size_t i)
{
    GtkWidget *w = f->widgets[i];
    g_autofree char *choice = NULL;
    int channel = HOST_NONE;

    switch (f->v->procedure->arguments[i].kind) {
    case ARGUMENT_INT:
    case ARGUMENT_NUMBER:
        gtk_spin_button_update(GTK_SPIN_BUTTON(w));
        values_set_number(f->v, i, gtk_spin_button_get_value(GTK_SPIN_BUTTON(w)));
        break;
    case ARGUMENT_CHOICE:
        choice = gtk_combo_box_text_get_active_text(GTK_COMBO_BOX_TEXT(w));
        values_set_text(f->v, i, choice);
        break;
    case ARGUMENT_CHANNEL:
        gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(w), &channel);
        values_set_number(f->v, i, channel);
        break;
    case ARGUMENT_TEXT:
    case ARGUMENT_FILE:
        values_set_text(f->v, i, gtk_entry_get_text(GTK_ENTRY(w)));
        break;
    }
}

/* ---- all of them ---- */

static GtkWidget *make_table(struct dialog_fields *f, bool advanced)
{
    GtkWidget *table = toolkit_table();
    int row = 0;

    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const struct argument *p = &f->v->procedure->arguments[i];
        if (p->advanced == advanced) {
            f->widgets[i] = make_widget(f, i);
            gimp_help_set_help_data(f->widgets[i], _(p->text), NULL);
            toolkit_attach(table, row++, _(p->label), dress(p, f->widgets[i]), f->widgets[i]);
        }
    }
    return table;
}

// scrolls, so that the dialog stays lower than a small screen
static GtkWidget *make_advanced(struct dialog_fields *f)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_size_request(scrolled, -1, ADVANCED_HEIGHT);
    toolkit_add_scrolled(scrolled, make_table(f, true));
    return scrolled;
}

static GtkWidget *make_fields(struct dialog_fields *f)
{
    GtkWidget *box = toolkit_column(12);
    GtkWidget *expander = gtk_expander_new_with_mnemonic(_("_Advanced"));

    gtk_box_pack_start(GTK_BOX(box), make_table(f, false), FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(expander), make_advanced(f));
    gtk_box_pack_start(GTK_BOX(box), expander, FALSE, FALSE, 0);
    return box;
}

struct dialog_fields *dialog_fields_new(const struct call *chosen, values *v)
{
    struct dialog_fields *f = g_new0(struct dialog_fields, 1);

    f->chosen = chosen;
    f->v = v;
    f->widgets = g_new0(GtkWidget *, v->procedure->n_arguments);
    f->box = make_fields(f);
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

void dialog_fields_watch(const struct dialog_fields *f, void (*words)(void *user),
                         void (*figures)(void *user), void *user)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        const bool is_text = f->v->procedure->arguments[i].kind == ARGUMENT_TEXT;
        g_signal_connect_swapped(f->widgets[i],
                                 GTK_IS_SPIN_BUTTON(f->widgets[i]) ? "value-changed" : "changed",
                                 G_CALLBACK(is_text ? words : figures), user);
    }
}

void dialog_fields_read(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        read_widget(f, i);
    }
}

void dialog_fields_write(const struct dialog_fields *f)
{
    for (size_t i = 0; i < f->v->procedure->n_arguments; i++) {
        write_widget(f, i);
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
