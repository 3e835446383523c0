/* The dialog of a procedure; see dialog.h. It is compiled once for GTK 2 and once for GTK 3.
 *
 * A button reads what a run needs and puts it into the queue; the loop in dialog_run takes one run
 * after another out of it. While a worker works, the main context is turned by the job: the fields
 * can be changed and the next run asked for, and Cancel, which Close is then, ends the one that
 * goes on. */
#include "plugin/dialog.h"

#include "plugin/dialog_buttons.h"
#include "plugin/dialog_estimate.h"
#include "plugin/dialog_fields.h"
#include "plugin/dialog_fit.h"
#include "plugin/dialog_gallery.h"
#include "plugin/dialog_learn.h"
#include "plugin/dialog_paint.h"
#include "plugin/dialog_palette.h"
#include "plugin/dialog_presets.h"
#include "plugin/dialog_progress.h"
#include "plugin/dialog_queue.h"
#include "plugin/dialog_target.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/one_window.h"
#include "plugin/settings.h"
#include "plugin/watch.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <string.h>
#include <unistd.h>

#define OWNER_MS 500 // between looks whether GIMP is there

struct dialog {
    struct dialog_target target;
    values *v; // what the fields say
    struct dialog_fields *fields;
    struct dialog_estimate *estimate;
    struct dialog_gallery *gallery;
    struct dialog_learn *learn; // NULL: nothing is learned
    struct dialog_queue *queue;
    struct dialog_progress progress;
    GtkWidget *window, *message;
    struct watch watch;
    struct call_result *result; // of the last run
    bool made;                  // something
    values *learned;            // of the last run that learned, NULL: none did
    values *next;               // of the dialog that is wanted now, NULL: none
    bool running, cancelled, stopped;
    bool closed;
    pid_t owner; // GIMP
};

// the line below the fields; the next thing said takes its place
static void say(void *user, const char *text)
{
    struct dialog *d = user;

    gtk_label_set_text(GTK_LABEL(d->message), text);
    toolkit_tell("says: %s", text);
}

/* ---- what was made ---- */

// fields first: what the settings do not name stays as it is typed
static void take_kept_settings(void *user, const char *text)
{
    struct dialog *d = user;

    dialog_fields_read(d->fields);
    if (settings_read(d->v, text)) {
        dialog_fields_write(d->fields);
        say(d, _("These are the settings that the picture was made with."));
    }
}

/* ---- the window ---- */

static GtkWidget *make_side(struct dialog *d)
{
    const struct dialog_gallery_calls calls = {take_kept_settings, say, d};
    const bool layers = d->v->procedure->result == RESULT_LAYERS;

    // only what makes layers has pictures to choose from
    d->gallery = dialog_gallery_new(d->progress.preview, layers ? &d->target : NULL, &calls);
    GtkWidget *side = toolkit_column(12, d->progress.preview, d->progress.curve,
                                     toolkit_grows(dialog_gallery_widget(d->gallery)), NULL);
    d->progress.side = side;
    toolkit_hidden(side);
    // nothing was made yet: the window stays narrow until there is something to see
    gtk_widget_set_visible(side, dialog_gallery_has_any(d->gallery));
    return side;
}

static GtkWidget *make_content(struct dialog *d)
{
    d->message = toolkit_paragraph(420);
    GtkWidget *column = toolkit_column(
        toolkit_is_low() ? 6 : 12, toolkit_grows(dialog_fields_widget(d->fields)),
        dialog_presets_new(d->v, d->fields, say, d), dialog_estimate_widget(d->estimate),
        d->message, dialog_queue_widget(d->queue), NULL);
    GtkWidget *row = toolkit_row(18, toolkit_grows(column), make_side(d), NULL);
    GtkWidget *box = toolkit_column(12, toolkit_grows(row), d->progress.bar, NULL);

    gtk_container_set_border_width(GTK_CONTAINER(box), 12);
    return box;
}

static void make_window(struct dialog *d)
{
    d->window = dialog_buttons_new(d->v->procedure);
    d->progress.window = GTK_WINDOW(d->window);
    GtkWidget *content = toolkit_grows(make_content(d));
    toolkit_add(gtk_dialog_get_content_area(GTK_DIALOG(d->window)), content, NULL);
    // shown before the window is, so that its size is asked for with all that is in it
    gtk_widget_show_all(content);
    dialog_fit_begin(dialog_fields_widget(d->fields));
    gtk_widget_show_all(d->window);
}

/* ---- running ---- */

// only learning can be stopped, once there is something to keep
static void offer_stop(struct dialog *d, const struct call_progress *p)
{
    const bool learning = strcmp(p->phase, "learn") == 0 && p->step > 0;

    dialog_buttons_show(d->window, DIALOG_STOP, learning && !d->stopped);
}

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    struct dialog *d = user;

    dialog_progress_show(&d->progress, p);
    if (p->warning != NULL) {
        say(d, p->warning);
    }
    offer_stop(d, p);
    watch_progress(&d->watch, p);
    return d->cancelled || d->closed ? CALL_CANCEL : d->stopped ? CALL_STOP : CALL_GO_ON;
}

// Close is Cancel while something runs
static void set_running(struct dialog *d, bool running)
{
    d->running = running;
    // a Cancel that came after the end is of no run
    d->cancelled = false;
    d->stopped = d->stopped && !running; // the end of a run asks for it
    dialog_buttons_running(d->window, running);
    dialog_estimate_hold(d->estimate, running); // the bar says more
    if (running) {
        // the bar in the window, and GIMP's own, which is seen when the window is behind the image
        dialog_progress_begin(&d->progress);
        host_progress_begin(_(d->v->procedure->title));
    } else {
        host_progress_end();
        dialog_progress_end(&d->progress);
    }
}

// what was made, for people; g_free it
// r->file is of converting; learning has a file, too, but what it is called counts
static char *describe(const struct dialog *d, const task *t, const struct call_result *r)
{
    return d->learn != NULL   ? dialog_learn_describe(t->values, d->stopped)
           : r->file != NULL  ? g_strdup_printf(_("The file is %s."), r->file)
           : r->n_layers == 1 ? g_strdup(_("One layer was added."))
                              : g_strdup_printf(_("%d layers were added."), r->n_layers);
}

// what was learned is to be painted, unless the person is at something else
static void offer_to_paint(struct dialog *d, const task *t)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(d->window));

    values_free(d->learned);
    d->learned = values_copy(t->values);
    dialog_buttons_show(d->window, DIALOG_PAINT, true);
    if (focus == NULL || GTK_IS_BUTTON(focus)) {
        gtk_widget_grab_focus(
            gtk_dialog_get_widget_for_response(GTK_DIALOG(d->window), DIALOG_PAINT));
    }
}

// pictures are to be chosen from; the values come back the next time
static void finish(struct dialog *d, const task *t, struct call_result *made)
{
    g_autofree char *file = host_values_file();
    g_autofree char *text = describe(d, t, made);
    g_autoptr(GError) unkept = NULL;

    say(d, text);
    d->made = true;
    call_result_clear(d->result);
    // taken over, with what it owns: the caller gets what the last run made
    *d->result = *made;
    if (made->n_layers > 0) {
        gtk_widget_show(d->progress.side);
    }
    if (d->learn != NULL) {
        offer_to_paint(d, t);
    }
    if (!values_store(t->values, file, &unkept)) {
        g_autofree char *sentence =
            g_strdup_printf(_("The settings are not kept for the next time: %s"), unkept->message);
        say(d, sentence);
    }
}

// pictures are kept whatever becomes of the image; that they are not is no failure of the run
static void keep(struct dialog *d, task *t)
{
    g_autoptr(GError) error = NULL;

    if (t->pictures == NULL) {
        return;
    }
    if (!results_keep(&t->results, t->pictures, &error)) {
        say(d, error->message);
    }
    dialog_gallery_renew(d->gallery);
}

static void run(struct dialog *d, task *t)
{
    const struct call call = {.shows = true, .progress = on_progress, .user = d};
    g_autoptr(GError) error = NULL;
    struct call_result made;

    say(d, "");
    set_running(d, true);
    const bool worked = task_work(t, &call, &error);
    // between working and inserting: pictures outlive an image that was closed meanwhile
    if (worked) {
        keep(d, t);
    }
    if (worked && task_insert(t, &made, &error)) {
        finish(d, t, &made);
    } else {
        say(d, error->message);
    }
    set_running(d, false);
}

/* ---- what is asked for ---- */

// what a run needs is read now, of what is chosen in the image now
static void ask_for_run(struct dialog *d)
{
    const char *missing = d->learn != NULL ? dialog_learn_missing(d->learn) : NULL;
    g_autoptr(GError) error = NULL;

    if (missing != NULL) {
        say(d, missing);
        return;
    }
    dialog_fields_read(d->fields);
    // what was asked for is in the list of prompts even if the run fails
    dialog_fields_keep(d->fields);
    bool good = dialog_target_update(&d->target, &error) && values_check(d->v, &error);
    // an indexed image: the person was asked, and did not want a copy
    if (good && !dialog_palette_good(&d->target, d->window)) {
        return;
    }
    struct call call = d->target.call;
    call.values = d->v;
    call.shows = true;
    task *t = good ? call_prepare(&call, &error) : NULL;
    if (t == NULL) {
        say(d, error->message);
        return;
    }
    dialog_estimate_drop(d->estimate); // it turns the main context, and would hold up what comes
    // the task is the queue's from here on
    dialog_queue_add(d->queue, t, d->running);
    if (d->running) {
        say(d, _("This is done next, with the layer and the selection as they are now."));
    }
}

static void take_settings(struct dialog *d)
{
    g_autoptr(GError) error = NULL;

    dialog_fields_read(d->fields);
    if (!dialog_target_update(&d->target, &error)) {
        say(d, error->message);
        // INPUT_NONE never has one; a layer may be deleted while the dialog is open
    } else if (d->target.call.n_layers == 0 || !host_layer_exists(d->target.call.layers[0])) {
        say(d, _("The layer is not there any more."));
    } else if (settings_of_layer(d->v, d->target.call.layers[0], &error)) {
        dialog_fields_write(d->fields);
        say(d, _("These are the settings that the layer was made with."));
    } else {
        say(d, error->message);
    }
}

// the window's own button and Escape are Close
static void close_or_cancel(struct dialog *d)
{
    if (d->running) {
        d->cancelled = true;
        say(d, _("Cancelling…"));
    } else {
        dialog_estimate_drop(d->estimate);
        d->closed = true;
    }
}

static void reset(struct dialog *d)
{
    // of the procedure, not of the last time
    g_autoptr(values) standard = values_create(d->v->procedure);

    values_assign(d->v, standard);
    dialog_fields_write(d->fields);
    if (d->learn != NULL) {
        dialog_learn_reset(d->learn);
    }
    say(d, _("All fields are as in the beginning."));
    dialog_estimate_want(d->estimate);
}

// the next dialog takes this one's place
static void paint(struct dialog *d)
{
    d->next = dialog_learn_painting(d->learned);
    dialog_estimate_drop(d->estimate);
    d->closed = true;
}

// whatever is none of our buttons closes: Escape, and the window's own
static void on_response(struct dialog *d, int response)
{
    if (response == GTK_RESPONSE_OK) {
        ask_for_run(d);
    } else if (response == DIALOG_SETTINGS) {
        take_settings(d);
    } else if (response == DIALOG_RESET) {
        reset(d);
    } else if (response == DIALOG_PAINT) {
        paint(d);
    } else if (response == DIALOG_STOP) {
        d->stopped = true;
        say(d, _("Stopping; what was learned is kept…"));
    } else {
        close_or_cancel(d);
    }
}

/* ---- the whole time ---- */

// what there is to choose may have changed
static void look_again(struct dialog *d)
{
    dialog_fields_renew(d->fields);
    if (dialog_paint_renew(d->fields)) {
        dialog_estimate_want(d->estimate);
    } else { // what was missing may be there now: a selection
        dialog_estimate_want_if_failed(d->estimate);
    }
}

// from the menu, where the dialog is open already
static void on_called(void *user, const struct call *chosen, const char *settings)
{
    struct dialog *d = user;

    dialog_target_set(&d->target, chosen->image, chosen->layers, chosen->n_layers);
    look_again(d);
    if (settings != NULL) {
        dialog_fields_read(d->fields);
        settings_read(d->v, settings);
        dialog_fields_write(d->fields);
    }
    gtk_window_present(GTK_WINDOW(d->window));
    toolkit_tell("window: has image %d", chosen->image);
    dialog_estimate_want(d->estimate);
}

// back from the image, which may be another now
static gboolean on_focus(struct dialog *d)
{
    if (dialog_target_update(&d->target, NULL)) {
        look_again(d);
    }
    return FALSE;
}

// GIMP is the parent; nobody else tells an idle dialog that it is gone
static gboolean on_owner_timer(struct dialog *d)
{
    d->closed = d->closed || getppid() != d->owner;
    return G_SOURCE_CONTINUE;
}

static void make(struct dialog *d)
{
    toolkit_start();
    dialog_progress_init(&d->progress, _(d->v->procedure->title));
    // in this order: each is given what was made before it
    d->fields = dialog_fields_new(&d->target.call, d->v);
    d->estimate = dialog_estimate_new(&d->target.call, d->v, d->fields);
    d->learn = d->v->procedure->id == PROCEDURE_LEARN
                   ? dialog_learn_new(&d->target, d->fields, d->estimate)
                   : NULL;
    dialog_paint_add(&d->target, d->fields);
    d->queue = dialog_queue_new();
    make_window(d);
    g_signal_connect_swapped(d->window, "response", G_CALLBACK(on_response), d);
    // the response alone closes: while a run goes on the window has to stay
    g_signal_connect(d->window, "delete-event", G_CALLBACK(gtk_true), NULL);
    g_signal_connect_swapped(d->window, "focus-in-event", G_CALLBACK(on_focus), d);
    dialog_estimate_begin(d->estimate);
}

static void unmake(struct dialog *d)
{
    // its timer first: it asks widgets that the window owns
    dialog_learn_free(d->learn);
    gtk_widget_destroy(d->window);
    dialog_gallery_free(d->gallery);
    dialog_estimate_free(d->estimate);
    dialog_fields_free(d->fields);
    dialog_queue_free(d->queue);
    dialog_target_clear(&d->target);
    values_free(d->learned);
}

// one run after another, until the dialog is closed
static void loop(struct dialog *d)
{
    while (!d->closed) {
        g_autoptr(task) next = dialog_queue_take(d->queue);
        if (next != NULL) {
            run(d, next);
        } else {
            // blocks until something happens; the owner's timer wakes it at the latest
            g_main_context_iteration(NULL, TRUE);
        }
    }
}

bool dialog_run(const struct call *chosen, values *v, bool insists, struct call_result *result,
                values **next)
{
    struct dialog d = {.v = v, .result = result, .owner = getppid()};
    // a call that says values of its own has them taken into the window that is open
    g_autofree char *settings = insists ? settings_of_values(v) : NULL;
    bool handed;
    g_autoptr(one_window) window = one_window_claim(v->procedure, chosen, settings, &handed);

    *result = (struct call_result){0};
    *next = NULL;
    // another window of this procedure has it, and was raised
    if (handed) {
        return false;
    }
    dialog_target_init(&d.target, v->procedure, chosen);
    make(&d);
    one_window_listen(window, on_called, &d);
    const guint timer = g_timeout_add(OWNER_MS, G_SOURCE_FUNC(on_owner_timer), &d);
    loop(&d);
    g_source_remove(timer);
    // the person may have deleted layers that the dialog made
    call_result_drop_gone(result);
    unmake(&d);
    *next = d.next;
    return d.made;
}
