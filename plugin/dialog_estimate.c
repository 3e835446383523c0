/* Estimates of runs in the dialog; see dialog_estimate.h. The main context is turned by the job
 * while the worker counts, so that fields can change and buttons be pressed meanwhile. */
#include "plugin/dialog_estimate.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <string.h>

#define PAUSE_MS 400 // from a change to counting

struct dialog_estimate {
    const struct call *chosen; // borrowed, the dialog's own
    values *v;
    const struct dialog_fields *fields;
    GtkWidget *label;
    guint timer;                // 0: none
    bool running, again, ended; // ended: the one that runs is not wanted any more
    bool failed;                // the last one
    bool held;                  // a run goes on
    void (*told)(void *user, const struct call_estimate *costs);
    void *user;
};

/* ---- what is told ---- */

// "about 40 s"; g_free it
static char *time_text(double seconds)
{
    // as coarse as it is known: minutes from a minute and a half on
    return seconds < 90     ? g_strdup_printf(_("about %.0f s"), MAX(seconds, 1))
           : seconds < 5400 ? g_strdup_printf(_("about %.0f min"), seconds / 60)
                            : g_strdup_printf(_("about %.1f h"), seconds / 3600);
}

// "230 MB"; g_free it
static char *size_text(double bytes)
{
    return bytes < 1e9 ? g_strdup_printf("%.0f\u00a0MB", MAX(bytes / 1e6, 1))
                       : g_strdup_printf("%.1f\u00a0GB", bytes / 1e9);
}

// what it takes, and what another effort would; g_free it
static char *efforts_text(const struct call_estimate *c, const char *bytes)
{
    g_autofree char *time = time_text(c->seconds), *quick = time_text(c->quick);
    g_autofree char *normal = time_text(c->normal), *thorough = time_text(c->thorough);

    return g_strdup_printf(
        _("It takes %s, and %s of memory. Quick: %s, as usual: %s, thorough: %s."), time, bytes,
        quick, normal, thorough);
}

// what it takes; where memory is short, what that means
static char *plain_text(const struct call_estimate *c)
{
    g_autofree char *time = time_text(c->seconds);
    g_autofree char *bytes = size_text(c->bytes), *least = size_text(c->least_bytes);
    g_autofree char *available = size_text(c->available);
    // a device, or a machine, that does not say: nothing is said of what is free
    const bool known = c->available >= 0;

    if (known && c->least_bytes > c->available) {
        return g_strdup_printf(_("It takes %s of memory, and only %s are free: close other "
                                 "programs or choose a smaller size."),
                               least, available);
    }
    if (known && c->bytes > c->available) {
        return g_strdup_printf(_("Only %s of memory are free: it will work in %s, more slowly."),
                               available, least);
    }
    if (c->seconds >= 0 && c->quick >= 0) {
        return efforts_text(c, bytes);
    }
    return c->seconds >= 0 ? g_strdup_printf(_("It takes %s, and %s of memory."), time, bytes)
                           : g_strdup_printf(_("It takes %s of memory."), bytes);
}

// the same, and of which device it is said where that is not the processor
static char *costs_text(const struct call_estimate *c)
{
    g_autofree char *text = plain_text(c);

    if (c->device == NULL || strcmp(c->device, "cpu") == 0) {
        return g_steal_pointer(&text);
    }
    return g_strdup_printf(_("On the graphics card (%s): %s"), c->device, text);
}

static void say(struct dialog_estimate *e, const char *text)
{
    gtk_label_set_text(GTK_LABEL(e->label), text);
    toolkit_tell("estimate: %s", text);
}

// what "what suits" is for this image, and "the model's own" of this effort
static void show_own(const struct dialog_estimate *e, const struct call_estimate *c)
{
    if (c->steps > 0 && values_has(e->v, "effort")) {
        dialog_fields_own(e->fields, "steps", c->steps);
        dialog_fields_own(e->fields, "learning-rate", c->learning_rate);
    }
    // the fields say in which size it is drawn first, and the estimate what becomes of that
    const bool enlarged = values_has(e->v, "hires") && values_number(e->v, "hires") > 1;
    if (c->width > 0 && c->height > 0 && values_has(e->v, "width") && !enlarged) {
        dialog_fields_own(e->fields, "width", c->width);
        dialog_fields_own(e->fields, "height", c->height);
    }
}

static void tell(const struct dialog_estimate *e, const struct call_estimate *costs)
{
    if (e->told != NULL) {
        e->told(e->user, costs);
    }
}

/* ---- counting ---- */

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    const struct dialog_estimate *e = user;

    return e->ended ? CALL_CANCEL : CALL_GO_ON;
}

/* The values are read into those that a run would take: what is told is of what the fields say now.
 * One that was cancelled has nothing to tell, because something else is asked for. */
static void count(struct dialog_estimate *e)
{
    struct call_estimate costs = {.bytes = -1};
    struct call call = *e->chosen;
    // stays empty: an estimate makes nothing
    struct call_result nothing;
    g_autoptr(GError) error = NULL;

    call.values = e->v;
    call.estimate = &costs;
    call.progress = on_progress;
    call.user = e;
    dialog_fields_read(e->fields);
    const bool done = values_check(e->v, &error) && call_run(&call, &nothing, &error);
    e->failed = !done;
    if (done) {
        // an edit has no figures (call_edit.c), and says nothing
        g_autofree char *text = costs.bytes >= 0 ? costs_text(&costs) : g_strdup("");
        call_result_clear(&nothing);
        show_own(e, &costs);
        // before the sentence: whoever reads it sees what belongs to it, too
        tell(e, &costs);
        say(e, text);
    } else if (!g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        say(e, error->message);
        tell(e, NULL);
    }
    call_estimate_clear(&costs);
}

/* Counting turns the main context, in which this may be called again: the inner call only says that
 * there is something new. */
static gboolean on_timer(struct dialog_estimate *e)
{
    e->timer = 0;
    e->again = true;
    if (e->running) {
        return G_SOURCE_REMOVE; // the one that runs counts again
    }
    e->running = true;
    while (e->again && !e->ended) {
        e->again = false;
        count(e);
    }
    e->running = false;
    return G_SOURCE_REMOVE;
}

void dialog_estimate_watch(struct dialog_estimate *e,
                           void (*told)(void *user, const struct call_estimate *costs), void *user)
{
    e->told = told;
    e->user = user;
}

// who types changes a field with every letter: the last change counts
void dialog_estimate_want(struct dialog_estimate *e)
{
    if (e->held) {
        return;
    }
    if (e->timer != 0) {
        g_source_remove(e->timer);
    }
    // wanted again before the one that runs heard of its end: it goes on, and counts once more
    e->ended = false;
    e->timer = g_timeout_add(PAUSE_MS, G_SOURCE_FUNC(on_timer), e);
}

void dialog_estimate_drop(struct dialog_estimate *e)
{
    if (e->timer != 0) {
        g_source_remove(e->timer);
        e->timer = 0;
    }
    e->ended = true;
}

void dialog_estimate_want_if_failed(struct dialog_estimate *e)
{
    if (e->failed) {
        dialog_estimate_want(e);
    }
}

// typing a prompt changes no figure
static void on_words(void *user)
{
    dialog_estimate_want_if_failed(user);
}

static void on_figures(void *user)
{
    dialog_estimate_want(user);
}

void dialog_estimate_begin(struct dialog_estimate *e)
{
    dialog_fields_watch(e->fields, on_words, on_figures, e);
    dialog_estimate_want(e);
}

void dialog_estimate_hold(struct dialog_estimate *e, bool running)
{
    e->held = running;
    // gone while the bar is there, so that the window does not grow
    gtk_widget_set_visible(e->label, !running);
    if (running) {
        dialog_estimate_drop(e);
    } else {
        dialog_estimate_want(e);
    }
}

/* ---- making ---- */

struct dialog_estimate *dialog_estimate_new(const struct call *chosen, values *v,
                                            const struct dialog_fields *fields)
{
    struct dialog_estimate *e = g_new0(struct dialog_estimate, 1);

    *e = (struct dialog_estimate){.chosen = chosen, .v = v, .fields = fields};
    e->label = toolkit_paragraph(420);
    return e;
}

void dialog_estimate_free(struct dialog_estimate *e)
{
    // a timer that fires afterwards would find no dialog
    dialog_estimate_drop(e);
    g_free(e);
}

GtkWidget *dialog_estimate_widget(const struct dialog_estimate *e)
{
    return e->label;
}
