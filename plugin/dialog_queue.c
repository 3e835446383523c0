/* Runs that wait; see dialog_queue.h. */
#include "plugin/dialog_queue.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#define TEXT_CHARACTERS 40
#define HEIGHT          72 // pixels
#define LOW_HEIGHT      40 // on a low screen: one is seen, the others scroll

struct dialog_queue {
    GQueue waiting; // struct waiting
    GtkWidget *box, *list, *label;
};

// one row; owns its task until that is taken
struct waiting {
    struct dialog_queue *queue;
    task *task;
    GtkWidget *row;
};

/* ---- what waits, in words ---- */

// what it is about: the first of its texts that says something; owned by the task
static const char *text_of(const task *t)
{
    static const char *const names[] = {"target", "prompt", "name", "input"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (values_has(t->values, names[i]) && values_text(t->values, names[i])[0] != '\0') {
            return values_text(t->values, names[i]);
        }
    }
    return _(t->values->procedure->title);
}

static char *describe(const task *t)
{
    const int n = values_has(t->values, "count") ? values_int(t->values, "count") : 1;

    return n > 1 ? g_strdup_printf(_("%s (%d pictures)"), text_of(t), n) : g_strdup(text_of(t));
}

static void tell(const struct dialog_queue *q)
{
    const guint n = q->waiting.length;
    g_autofree char *text = g_strdup_printf(_("Waiting: %u"), n);

    gtk_label_set_text(GTK_LABEL(q->label), text);
    gtk_widget_set_visible(q->box, n > 0);
    toolkit_tell("queue: %u wait", n);
}

/* ---- rows ---- */

// the row is the window's: destroying it takes it out
static void drop(struct waiting *w)
{
    g_queue_remove(&w->queue->waiting, w);
    gtk_widget_destroy(w->row);
    task_free(w->task);
    g_free(w);
}

static void on_remove(struct waiting *w)
{
    struct dialog_queue *q = w->queue;

    drop(w);
    tell(q);
}

static GtkWidget *make_row(struct waiting *w)
{
    GtkWidget *remove = toolkit_button(_("Remove"), _("It is not done."), G_CALLBACK(on_remove), w);
    GtkWidget *label = toolkit_label("");
    GtkWidget *row = toolkit_row(6, toolkit_grows(label), remove, NULL);
    g_autofree char *text = describe(w->task);

    gtk_label_set_text(GTK_LABEL(label), text);
    toolkit_ellipsize(label, TEXT_CHARACTERS);
    gtk_widget_show_all(row);
    return row;
}

/* ---- the list ---- */

struct dialog_queue *dialog_queue_new(void)
{
    struct dialog_queue *q = g_new0(struct dialog_queue, 1);

    g_queue_init(&q->waiting);
    q->list = toolkit_column(3, NULL);
    q->label = toolkit_label("");
    GtkWidget *scrolled = toolkit_scrolled(q->list);
    gtk_widget_set_size_request(scrolled, -1, toolkit_is_low() ? LOW_HEIGHT : HEIGHT);
    q->box = toolkit_hidden(toolkit_row(12, q->label, toolkit_grows(scrolled), NULL));
    return q;
}

void dialog_queue_free(struct dialog_queue *q)
{
    struct waiting *w;

    while ((w = g_queue_pop_head(&q->waiting)) != NULL) {
        task_free(w->task);
        g_free(w);
    }
    g_free(q);
}

GtkWidget *dialog_queue_widget(const struct dialog_queue *q)
{
    return q->box;
}

void dialog_queue_add(struct dialog_queue *q, task *t, bool shown)
{
    struct waiting *w = g_new0(struct waiting, 1);

    w->queue = q;
    w->task = t;
    w->row = make_row(w);
    toolkit_add(q->list, w->row, NULL);
    g_queue_push_tail(&q->waiting, w);
    if (shown) {
        tell(q);
    }
}

task *dialog_queue_take(struct dialog_queue *q)
{
    struct waiting *w = g_queue_peek_head(&q->waiting);
    // the caller's, task_free; the row goes
    task *t = w != NULL ? g_steal_pointer(&w->task) : NULL;

    if (w != NULL) {
        drop(w);
        tell(q);
    }
    return t;
}
