/* Estimates of runs in the dialog; see dialog_estimate.h. The main context is turned by the job
 * while the worker counts, so that fields can change and buttons be pressed meanwhile. */
#include "plugin/dialog_estimate.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#define PAUSE_MS 400 // from a change to counting

struct dialog_estimate {
    const struct call *chosen;
    values *v;
    const struct dialog_fields *fields;
    GtkWidget *label;
    guint timer;                // 0: none
    bool running, again, ended; // ended: the one that runs is not wanted any more
    bool failed;                // the last one
};

/* ---- what is told ---- */

// "about 40 s"; g_free it
static char *time_text(double seconds)
{
    return seconds < 90     ? g_strdup_printf(_("about %.0f s"), MAX(seconds, 1))
           : seconds < 5400 ? g_strdup_printf(_("about %.0f min"), seconds / 60)
                            : g_strdup_printf(_("about %.1f h"), seconds / 3600);
}

static void add_costs(GString *text, const struct call_estimate *c)
{
    g_autofree char *time = time_text(c->seconds);
    g_autofree char *bytes = g_format_size((guint64)MAX(c->bytes, 0));
    g_autofree char *least = g_format_size((guint64)MAX(c->least_bytes, 0));

    if (c->seconds >= 0) {
        g_string_append_printf(text, _("Time: %s. "), time);
    }
    if (c->least_bytes < c->bytes) {
        g_string_append_printf(text, _("Memory: %s, %s where it is short. "), bytes, least);
    } else {
        g_string_append_printf(text, _("Memory: %s. "), bytes);
    }
}

// what would make the run fail, or the machine crawl
static void add_shortage(GString *text, const struct call_estimate *c)
{
    if (c->available >= 0 && c->least_bytes > c->available) {
        g_autofree char *available = g_format_size((guint64)c->available);
        g_string_append_printf(
            text, _("Only %s are free: close other programs or choose a smaller size. "),
            available);
    }
}

static void add_marks(GString *text, const struct call_estimate *c, enum procedure_id procedure)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; c->marked != NULL && i < c->marked->len; i++) {
        g_string_append_printf(list, "%s%.0f\u00a0%%", i > 0 ? ", " : "",
                               100 * g_array_index(c->marked, double, i));
    }
    if (list->len > 0) {
        g_string_append_printf(text, _("Marked as the subject of what is learned: %s."), list->str);
    } else if (procedure == PROCEDURE_LEARN) {
        g_string_append(text, _("Nothing is selected: all of the layer is learned."));
    }
}

static void say(struct dialog_estimate *e, const char *text)
{
    gtk_label_set_text(GTK_LABEL(e->label), text);
    toolkit_tell("estimate: %s", text);
}

static void say_estimate(struct dialog_estimate *e, const struct call_estimate *c)
{
    GString *text = g_string_new(NULL);

    if (c->bytes >= 0) {
        add_costs(text, c);
        add_shortage(text, c);
        add_marks(text, c, e->v->procedure->id);
    }
    say(e, text->str);
    g_string_free(text, TRUE);
}

// what "what suits" is for this image
static void show_size(const struct dialog_estimate *e, const struct call_estimate *c)
{
    if (c->width > 0 && c->height > 0 && values_has(e->v, "width")) {
        dialog_fields_own(e->fields, "width", c->width);
        dialog_fields_own(e->fields, "height", c->height);
    }
}

/* ---- counting ---- */

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    const struct dialog_estimate *e = user;

    return e->ended ? CALL_CANCEL : CALL_GO_ON;
}

static void count(struct dialog_estimate *e)
{
    struct call_estimate costs = {.bytes = -1};
    struct call call = *e->chosen;
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
        call_result_clear(&nothing);
        show_size(e, &costs);
        say_estimate(e, &costs);
    } else if (!g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        say(e, error->message);
    }
    g_clear_pointer(&costs.marked, g_array_unref);
}

static gboolean on_timer(void *user)
{
    struct dialog_estimate *e = user;

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

void dialog_estimate_want(struct dialog_estimate *e)
{
    if (e->timer != 0) {
        g_source_remove(e->timer);
    }
    e->ended = false;
    e->timer = g_timeout_add(PAUSE_MS, on_timer, e);
}

void dialog_estimate_want_if_failed(struct dialog_estimate *e)
{
    if (e->failed) {
        dialog_estimate_want(e);
    }
}

void dialog_estimate_drop(struct dialog_estimate *e)
{
    if (e->timer != 0) {
        g_source_remove(e->timer);
        e->timer = 0;
    }
    e->ended = true;
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
    dialog_estimate_drop(e);
    g_free(e);
}

GtkWidget *dialog_estimate_widget(const struct dialog_estimate *e)
{
    return e->label;
}
