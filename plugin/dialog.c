/* The dialog of a procedure; see dialog.h. It is compiled once for GTK 2 and once for GTK 3.
 *
 * The first arguments lie open, the others under Advanced. While a worker works, the fields are
 * insensitive, and Cancel ends it; the main context is turned by the job. */
#include "plugin/dialog.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/watch.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

struct dialog {
    const struct call *chosen; // image and layers
    values *v;
    GtkWidget *window, *fields, *bar, *message;
    GtkWidget **widgets; // one a argument
    struct watch watch;
    bool running, cancelled;
};

/* ---- a widget for each kind of argument ---- */

static GtkWidget *choice_widget(const struct argument *p, const char *text)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);
    GtkWidget *w = gtk_combo_box_text_new();

    for (int i = 0; words[i] != NULL; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(w), words[i]);
        if (g_strcmp0(words[i], text) == 0) {
            gtk_combo_box_set_active(GTK_COMBO_BOX(w), i);
        }
    }
    return w;
}

static GtkWidget *number_widget(const struct argument *p, double number)
{
    const bool whole = p->kind == ARGUMENT_INT;
    GtkWidget *w = gtk_spin_button_new_with_range(p->low, p->high, whole ? 1 : 0.01);

    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(w), whole ? 0 : 4);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(w), number);
    gtk_entry_set_activates_default(GTK_ENTRY(w), TRUE);
    return w;
}

static GtkWidget *text_widget(const char *text)
{
    GtkWidget *w = gtk_entry_new();

    gtk_entry_set_text(GTK_ENTRY(w), text);
    gtk_entry_set_width_chars(GTK_ENTRY(w), 44);
    gtk_entry_set_activates_default(GTK_ENTRY(w), TRUE);
    return w;
}

static GtkWidget *make_widget(const struct dialog *d, size_t i)
{
    const struct argument *p = &d->v->procedure->arguments[i];
    const struct value *value = &d->v->items[i];

    switch (p->kind) {
    case ARGUMENT_INT:
    case ARGUMENT_NUMBER:
        return number_widget(p, value->number);
    case ARGUMENT_CHOICE:
        return choice_widget(p, value->text);
    case ARGUMENT_CHANNEL:
        return toolkit_channels(d->chosen->image);
    case ARGUMENT_TEXT:
    case ARGUMENT_FILE:
        break;
    }
    return text_widget(value->text);
}

static void read_widget(const struct dialog *d, size_t i)
{
    GtkWidget *w = d->widgets[i];
    g_autofree char *choice = NULL;
    int channel = HOST_NONE;

    switch (d->v->procedure->arguments[i].kind) {
    case ARGUMENT_INT:
    case ARGUMENT_NUMBER:
        gtk_spin_button_update(GTK_SPIN_BUTTON(w));
        values_set_number(d->v, i, gtk_spin_button_get_value(GTK_SPIN_BUTTON(w)));
        break;
    case ARGUMENT_CHOICE:
        choice = gtk_combo_box_text_get_active_text(GTK_COMBO_BOX_TEXT(w));
        values_set_text(d->v, i, choice);
        break;
    case ARGUMENT_CHANNEL:
        gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(w), &channel);
        values_set_number(d->v, i, channel);
        break;
    case ARGUMENT_TEXT:
    case ARGUMENT_FILE:
        values_set_text(d->v, i, gtk_entry_get_text(GTK_ENTRY(w)));
        break;
    }
}

/* ---- the window ---- */

static GtkWidget *make_table(struct dialog *d, bool advanced)
{
    GtkWidget *table = toolkit_table();
    int row = 0;

    for (size_t i = 0; i < d->v->procedure->n_arguments; i++) {
        const struct argument *p = &d->v->procedure->arguments[i];
        if (p->advanced == advanced) {
            d->widgets[i] = make_widget(d, i);
            gimp_help_set_help_data(d->widgets[i], _(p->text), NULL);
            toolkit_attach(table, row++, _(p->label), d->widgets[i]);
        }
    }
    return table;
}

static GtkWidget *make_fields(struct dialog *d)
{
    GtkWidget *box = toolkit_column(12);
    GtkWidget *expander = gtk_expander_new_with_mnemonic(_("_Advanced"));

    gtk_box_pack_start(GTK_BOX(box), make_table(d, false), FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(expander), make_table(d, true));
    gtk_box_pack_start(GTK_BOX(box), expander, FALSE, FALSE, 0);
    return box;
}

static void make_window(struct dialog *d)
{
    const struct procedure *p = d->v->procedure;
    GtkWidget *box = toolkit_column(12);

    d->window =
        gimp_dialog_new(_(p->title), "svdiff", NULL, 0, gimp_standard_help_func, p->name,
                        _("_Close"), GTK_RESPONSE_CLOSE, _(p->action), GTK_RESPONSE_OK, NULL);
    gimp_window_set_transient(GTK_WINDOW(d->window));
    gtk_dialog_set_default_response(GTK_DIALOG(d->window), GTK_RESPONSE_OK);
    d->fields = make_fields(d);
    d->bar = toolkit_bar();
    d->message = toolkit_paragraph(420);
    gtk_container_set_border_width(GTK_CONTAINER(box), 12);
    gtk_box_pack_start(GTK_BOX(box), d->fields, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->message, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->bar, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(d->window))), box, TRUE, TRUE,
                       0);
    gtk_widget_show_all(d->window);
}

static void say(struct dialog *d, const char *text)
{
    gtk_label_set_text(GTK_LABEL(d->message), text);
}

/* ---- running ---- */

static void show_progress(struct dialog *d, const struct call_progress *p)
{
    g_autofree char *line = watch_line(p);

    if (p->steps > 0) {
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->bar),
                                      CLAMP((double)p->step / p->steps, 0.0, 1.0));
    } else {
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(d->bar));
    }
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->bar), line);
    if (p->warning != NULL) {
        say(d, p->warning);
    }
}

static bool on_progress(void *user, const struct call_progress *p)
{
    struct dialog *d = user;

    show_progress(d, p);
    watch_progress(&d->watch, p);
    return !d->cancelled;
}

// while something runs, Close is Cancel, and so is the window's own button
static void on_response(GtkDialog *window, int response, void *user)
{
    struct dialog *d = user;

    if (d->running && response != GTK_RESPONSE_OK) {
        d->cancelled = true;
        say(d, _("Cancelling…"));
    }
}

static void set_running(struct dialog *d, bool running)
{
    GtkWidget *close =
        gtk_dialog_get_widget_for_response(GTK_DIALOG(d->window), GTK_RESPONSE_CLOSE);

    d->running = running;
    d->cancelled = false;
    gtk_widget_set_sensitive(d->fields, !running);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), GTK_RESPONSE_OK, !running);
    gtk_button_set_label(GTK_BUTTON(close), running ? _("_Cancel") : _("_Close"));
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->bar), 0);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->bar), "");
}

// what was made, for people; g_free it
static char *describe(const struct call_result *r)
{
    return r->file != NULL    ? g_strdup_printf(_("The file is %s."), r->file)
           : r->n_layers == 1 ? g_strdup(_("One layer was added."))
                              : g_strdup_printf(_("%d layers were added."), r->n_layers);
}

static bool run_once(struct dialog *d, struct call_result *result)
{
    const struct call call = {.image = d->chosen->image,
                              .layers = d->chosen->layers,
                              .n_layers = d->chosen->n_layers,
                              .values = d->v,
                              .progress = on_progress,
                              .user = d};
    g_autoptr(GError) error = NULL;
    struct call_result made;

    for (size_t i = 0; i < d->v->procedure->n_arguments; i++) {
        read_widget(d, i);
    }
    say(d, "");
    set_running(d, true);
    host_progress_begin(_(d->v->procedure->title));
    const bool done = values_check(d->v, &error) && call_run(&call, &made, &error);
    host_progress_end();
    set_running(d, false);
    g_autofree char *text = done ? describe(&made) : g_strdup(error->message);
    say(d, text);
    if (done) {
        call_result_clear(result);
        *result = made;
    }
    return done;
}

bool dialog_run(const struct call *chosen, values *v, struct call_result *result)
{
    struct dialog d = {.chosen = chosen, .v = v};
    bool made = false, open = true;

    *result = (struct call_result){0};
    toolkit_start();
    d.widgets = g_new0(GtkWidget *, v->procedure->n_arguments);
    make_window(&d);
    g_signal_connect(d.window, "response", G_CALLBACK(on_response), &d);
    g_signal_connect(d.window, "delete-event", G_CALLBACK(gtk_true), NULL);
    while (open && gimp_dialog_run(GIMP_DIALOG(d.window)) == GTK_RESPONSE_OK) {
        const bool done = run_once(&d, result);
        made = made || done;
        open = !(done && v->procedure->result == RESULT_FILE);
    }
    gtk_widget_destroy(d.window);
    g_free(d.widgets);
    return made;
}
