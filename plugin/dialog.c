/* The dialog of a procedure; see dialog.h. It is compiled once for GTK 2 and once for GTK 3.
 *
 * While a worker works, the fields are insensitive, beside them is shown what it makes, and Cancel
 * ends it; the main context is turned by the job. */
#include "plugin/dialog.h"

#include "plugin/dialog_curve.h"
#include "plugin/dialog_estimate.h"
#include "plugin/dialog_fields.h"
#include "plugin/dialog_gallery.h"
#include "plugin/dialog_preview.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/settings.h"
#include "plugin/watch.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <string.h>

#define PREVIEW_SIDE      256 // pixels
#define CURVE_HEIGHT      96
#define RESPONSE_STOP     1 // stop and keep
#define RESPONSE_SETTINGS 2 // take those of the layer

struct dialog {
    const struct call *chosen; // image and layers
    values *v;
    struct dialog_fields *fields;
    struct dialog_estimate *estimate;
    struct dialog_gallery *gallery;
    GtkWidget *window, *bar, *message;
    GtkWidget *side, *preview, *curve; // beside the fields, once there is something to show
    GtkWidget *focus;                  // before the run; NULL: nothing had it
    struct watch watch;
    bool running, cancelled, stopped;
};

/* ---- the window ---- */

static GtkWidget *make_side(struct dialog *d)
{
    d->side = toolkit_column(12);
    d->preview = dialog_preview_new(PREVIEW_SIDE);
    d->gallery = dialog_gallery_new(d->preview);
    d->curve = dialog_curve_new(PREVIEW_SIDE, CURVE_HEIGHT);
    gtk_widget_set_no_show_all(d->curve, TRUE);
    gtk_box_pack_start(GTK_BOX(d->side), d->preview, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(d->side), d->curve, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(d->side), dialog_gallery_widget(d->gallery), TRUE, TRUE, 0);
    gtk_widget_show_all(d->side);
    gtk_widget_hide(d->side);
    gtk_widget_set_no_show_all(d->side, TRUE);
    return d->side;
}

static GtkWidget *make_content(struct dialog *d)
{
    GtkWidget *box = toolkit_column(12), *row = toolkit_row(18);

    d->bar = toolkit_bar();
    d->message = toolkit_paragraph(420);
    gtk_box_pack_start(GTK_BOX(row), dialog_fields_widget(d->fields), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row), make_side(d), FALSE, FALSE, 0);
    gtk_container_set_border_width(GTK_CONTAINER(box), 12);
    gtk_box_pack_start(GTK_BOX(box), row, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), dialog_estimate_widget(d->estimate), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->message, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->bar, FALSE, FALSE, 0);
    return box;
}

// a button for those that learn, beside the one that starts
static void offer_keeping(struct dialog *d)
{
    const enum procedure_id id = d->v->procedure->id;

    if (id == PROCEDURE_LEARN || id == PROCEDURE_COMPOSE) {
        GtkWidget *stop =
            gtk_dialog_add_button(GTK_DIALOG(d->window), _("Stop and _Keep"), RESPONSE_STOP);
        gimp_help_set_help_data(
            stop, _("No more is learned; what was learned so far is kept and used."), NULL);
        gtk_widget_set_sensitive(stop, FALSE);
    }
}

// a button for those whose results carry settings, far from the one that starts
static void offer_settings(struct dialog *d)
{
    if (d->v->procedure->result == RESULT_LAYERS && d->chosen->n_layers > 0) {
        GtkWidget *button = gtk_dialog_add_button(GTK_DIALOG(d->window), _("Settings of La_yer"),
                                                  RESPONSE_SETTINGS);
        gimp_help_set_help_data(
            button, _("Takes the settings that the layer was made with, if SVDiff made it."), NULL);
        toolkit_set_aside(d->window, button);
    }
}

static void make_window(struct dialog *d)
{
    const struct procedure *p = d->v->procedure;

    d->window =
        gimp_dialog_new(_(p->title), "svdiff", NULL, 0, gimp_standard_help_func, p->name,
                        _("_Close"), GTK_RESPONSE_CLOSE, _(p->action), GTK_RESPONSE_OK, NULL);
    gimp_window_set_transient(GTK_WINDOW(d->window));
    gtk_dialog_set_default_response(GTK_DIALOG(d->window), GTK_RESPONSE_OK);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(d->window))), make_content(d),
                       TRUE, TRUE, 0);
    offer_keeping(d);
    offer_settings(d);
    gtk_widget_show_all(d->window);
}

static void say(struct dialog *d, const char *text)
{
    gtk_label_set_text(GTK_LABEL(d->message), text);
    toolkit_tell("says: %s", text);
}

/* ---- running ---- */

// the title, too, which is seen when the window is not
static void show_step(struct dialog *d, const struct call_progress *p)
{
    g_autofree char *line = watch_line(p);
    g_autofree char *title =
        p->steps > 0 ? g_strdup_printf("%s – %d/%d", _(d->v->procedure->title), p->step, p->steps)
                     : g_strdup(_(d->v->procedure->title));

    if (p->steps > 0) {
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->bar),
                                      CLAMP((double)p->step / p->steps, 0.0, 1.0));
    } else {
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(d->bar));
    }
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->bar), line);
    gtk_window_set_title(GTK_WINDOW(d->window), title);
}

static void show_loss(struct dialog *d, const struct call_progress *p)
{
    dialog_curve_add(d->curve, p->step, p->steps, p->loss);
    if (!gtk_widget_get_visible(d->curve)) {
        gtk_widget_show(d->curve);
        gtk_widget_show(d->side);
        toolkit_tell("shows the curve of the loss");
    }
}

static void show_progress(struct dialog *d, const struct call_progress *p)
{
    show_step(d, p);
    if (p->warning != NULL) {
        say(d, p->warning);
    }
    if (p->loss >= 0) {
        show_loss(d, p);
    }
    if (p->picture != NULL && dialog_preview_show(d->preview, p->picture)) {
        gtk_widget_show(d->side);
        toolkit_tell("shows a picture at %s %d", p->phase, p->step);
    }
}

// only learning can be stopped, once there is something to keep
static void offer_stop(struct dialog *d, const struct call_progress *p)
{
    const bool learning = strcmp(p->phase, "learn") == 0 && p->step > 0;

    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), RESPONSE_STOP,
                                      learning && !d->stopped);
}

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    struct dialog *d = user;

    show_progress(d, p);
    offer_stop(d, p);
    watch_progress(&d->watch, p);
    return d->cancelled ? CALL_CANCEL : d->stopped ? CALL_STOP : CALL_GO_ON;
}

// while something runs, Close is Cancel, and so is the window's own button
static void on_response(GtkDialog *window, int response, void *user)
{
    struct dialog *d = user;

    dialog_estimate_drop(d->estimate); // it turns the main context, and would hold up what comes
    if (d->running && response == RESPONSE_STOP) {
        d->stopped = true;
        say(d, _("Stopping; what was learned is kept…"));
    } else if (d->running && response != GTK_RESPONSE_OK) {
        d->cancelled = true;
        say(d, _("Cancelling…"));
    }
}

static void on_words(void *user)
{
    struct dialog *d = user;

    dialog_estimate_want_if_failed(d->estimate);
}

static void on_figures(void *user)
{
    struct dialog *d = user;

    dialog_estimate_want(d->estimate);
}

static void set_running(struct dialog *d, bool running)
{
    GtkWidget *close =
        gtk_dialog_get_widget_for_response(GTK_DIALOG(d->window), GTK_RESPONSE_CLOSE);

    if (running) {
        d->focus = gtk_window_get_focus(GTK_WINDOW(d->window));
    }
    d->running = running;
    d->cancelled = false;
    d->stopped = d->stopped && !running; // the end of a run asks for it
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), RESPONSE_STOP, FALSE);
    gtk_widget_set_sensitive(dialog_fields_widget(d->fields), !running);
    gtk_widget_set_sensitive(dialog_gallery_widget(d->gallery), !running);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), GTK_RESPONSE_OK, !running);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), RESPONSE_SETTINGS, !running);
    gtk_button_set_label(GTK_BUTTON(close), running ? _("_Cancel") : _("_Close"));
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->bar), 0);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->bar), "");
    gtk_window_set_title(GTK_WINDOW(d->window), _(d->v->procedure->title));
    if (!running && d->focus != NULL) { // it was lost with the fields
        gtk_widget_grab_focus(d->focus);
    }
}

// what was made, for people; g_free it
static char *describe(const struct dialog *d, const struct call_result *r)
{
    return r->file != NULL && d->stopped
               ? g_strdup_printf(_("Learning was stopped; %s holds what was learned."), r->file)
           : r->file != NULL  ? g_strdup_printf(_("The file is %s."), r->file)
           : r->n_layers == 1 ? g_strdup(_("One layer was added."))
                              : g_strdup_printf(_("%d layers were added."), r->n_layers);
}

// a file is made once: what comes next is to close; pictures are to be chosen from
static void finish(struct dialog *d, const struct call_result *made)
{
    if (made->file != NULL) {
        gtk_widget_grab_focus(
            gtk_dialog_get_widget_for_response(GTK_DIALOG(d->window), GTK_RESPONSE_CLOSE));
    } else {
        gtk_widget_show(d->side);
        dialog_gallery_add(d->gallery, made);
    }
}

// layers that were taken out again, here or in the image's window, are no results
static void drop_gone(struct call_result *result)
{
    int n = 0;

    for (int i = 0; i < result->n_layers; i++) {
        if (host_layer_exists(result->layers[i])) {
            result->layers[n++] = result->layers[i];
        }
    }
    result->n_layers = n;
}

static bool run_once(struct dialog *d, struct call_result *result)
{
    const struct call call = {.image = d->chosen->image,
                              .layers = d->chosen->layers,
                              .n_layers = d->chosen->n_layers,
                              .values = d->v,
                              .shows = true,
                              .progress = on_progress,
                              .user = d};
    g_autoptr(GError) error = NULL;
    struct call_result made;

    dialog_fields_read(d->fields);
    dialog_fields_keep(d->fields);
    say(d, "");
    dialog_curve_clear(d->curve);
    gtk_widget_hide(d->curve);
    set_running(d, true);
    host_progress_begin(_(d->v->procedure->title));
    const bool done = values_check(d->v, &error) && call_run(&call, &made, &error);
    host_progress_end();
    set_running(d, false);
    g_autofree char *text = done ? describe(d, &made) : g_strdup(error->message);
    say(d, text);
    if (done) {
        call_result_clear(result);
        *result = made;
        finish(d, result);
    }
    return done;
}

static void take_settings(struct dialog *d)
{
    g_autoptr(GError) error = NULL;

    dialog_fields_read(d->fields);
    if (!host_layer_exists(d->chosen->layers[0])) { // undone in the image's window
        say(d, _("The layer is not there any more."));
    } else if (settings_of_layer(d->v, d->chosen->layers[0], &error)) {
        dialog_fields_write(d->fields);
        say(d, _("These are the settings that the layer was made with."));
    } else {
        say(d, error->message);
    }
    dialog_estimate_want(d->estimate);
}

bool dialog_run(const struct call *chosen, values *v, struct call_result *result)
{
    struct dialog d = {.chosen = chosen, .v = v};
    bool made = false;
    int response;

    *result = (struct call_result){0};
    toolkit_start();
    d.fields = dialog_fields_new(chosen, v);
    d.estimate = dialog_estimate_new(chosen, v, d.fields);
    make_window(&d);
    g_signal_connect(d.window, "response", G_CALLBACK(on_response), &d);
    g_signal_connect(d.window, "delete-event", G_CALLBACK(gtk_true), NULL);
    dialog_fields_watch(d.fields, on_words, on_figures, &d);
    dialog_estimate_want(d.estimate);
    while ((response = gimp_dialog_run(GIMP_DIALOG(d.window))) == GTK_RESPONSE_OK ||
           response == RESPONSE_SETTINGS) {
        if (response == RESPONSE_SETTINGS) {
            take_settings(&d);
        } else {
            made = run_once(&d, result) || made;
        }
    }
    dialog_fields_read(d.fields);
    drop_gone(result);
    gtk_widget_destroy(d.window);
    dialog_gallery_free(d.gallery);
    dialog_estimate_free(d.estimate);
    dialog_fields_free(d.fields);
    return made;
}
