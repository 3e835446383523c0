/* Where a run is; see dialog_progress.h. */
#include "plugin/dialog_progress.h"

#include "plugin/dialog_curve.h"
#include "plugin/dialog_preview.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/watch.h"

#define PREVIEW_SIDE 256 // pixels
#define SMALL_SIDE   192 // on a low screen
#define CURVE_HEIGHT 96

void dialog_progress_init(struct dialog_progress *p, const char *title)
{
    *p = (struct dialog_progress){.title = title};
    p->bar = toolkit_bar();
    p->preview = dialog_preview_new(toolkit_is_low() ? SMALL_SIDE : PREVIEW_SIDE);
    p->curve = dialog_curve_new(PREVIEW_SIDE, CURVE_HEIGHT);
    gtk_widget_set_no_show_all(p->curve, TRUE);
}

void dialog_progress_end(struct dialog_progress *p)
{
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(p->bar), 0);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(p->bar), "");
    gtk_window_set_title(p->window, p->title);
}

// the last picture stays until another comes
void dialog_progress_begin(struct dialog_progress *p)
{
    dialog_progress_end(p);
    dialog_curve_clear(p->curve);
    gtk_widget_hide(p->curve);
}

// the title is seen in the panel when the window is not
static void show_step(struct dialog_progress *p, const struct call_progress *now)
{
    g_autofree char *line = watch_line(now);
    g_autofree char *title = now->steps > 0
                                 ? g_strdup_printf("%s – %d/%d", p->title, now->step, now->steps)
                                 : g_strdup(p->title);

    if (now->steps > 0) {
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(p->bar), watch_fraction(now));
    } else {
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(p->bar));
    }
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(p->bar), line);
    gtk_window_set_title(p->window, title);
}

static void show_loss(struct dialog_progress *p, const struct call_progress *now)
{
    dialog_curve_add(p->curve, now->step, now->steps, now->loss);
    if (!gtk_widget_get_visible(p->curve)) {
        gtk_widget_show(p->curve);
        gtk_widget_show(p->side);
        toolkit_tell("shows the curve of the loss");
    }
}

void dialog_progress_show(struct dialog_progress *p, const struct call_progress *now)
{
    show_step(p, now);
    if (now->loss >= 0) {
        show_loss(p, now);
    }
    if (now->picture != NULL && dialog_preview_show(p->preview, now->picture)) {
        gtk_widget_show(p->side);
        toolkit_tell("shows a picture at %s %d", now->phase, now->step);
    }
}
