/* A part of a window that scrolls; see dialog_fit.h. What is in it grows and shrinks while the
 * window is open; the part gets the height that it wants, as far as the screen goes. GTK tells of
 * new sizes while it gives them out, when no others can be asked for: that is done right
 * afterwards. */
#include "plugin/dialog_fit.h"

#include <stdbool.h>

#define AROUND 36 // pixels of the screen for the window's frame and a panel
#define LEAST  96 // that is seen in any case

/* Until a height that was asked for has come, from the window manager, too. What grows later is a
 * person's doing. */
#define SETTLED (2 * G_USEC_PER_SEC)

struct fit {
    GtkWidget *scrolled, *inside;
    gint64 settled; // when what was last asked for has come
    int height;     // of the window when it was last looked at
    guint soon;     // source; 0: none
};

static struct fit *fit_of(GtkWidget *scrolled)
{
    return g_object_get_data(G_OBJECT(scrolled), "svdiff-fit");
}

static void free_fit(struct fit *f)
{
    if (f->soon != 0) {
        g_source_remove(f->soon);
    }
    g_free(f);
}

static int highest(void)
{
    return toolkit_screen_height() - AROUND;
}

// what is around the part has its height first; whether another height was asked for
static bool ask(const struct fit *f, GtkWidget *window)
{
    const int around = toolkit_wanted_height(window) - toolkit_wanted_height(f->scrolled);
    const int most = MAX(LEAST, highest() - around);
    const int wanted = MIN(toolkit_wanted_height(f->inside), most);
    int now;

    gtk_widget_get_size_request(f->scrolled, NULL, &now);
    if (wanted != now) {
        gtk_widget_set_size_request(f->scrolled, -1, wanted);
    }
    return wanted != now;
}

/* A window that grew stays as high when it need not be any more, and may have grown beyond the edge
 * of the screen. One that a person made larger, or moved there, is left alone. */
static void place(struct fit *f, GtkWidget *window)
{
    int width, height, x, y;

    gtk_window_get_size(GTK_WINDOW(window), &width, &height);
    gtk_window_get_position(GTK_WINDOW(window), &x, &y);
    if (height > highest() && g_get_monotonic_time() < f->settled) {
        gtk_window_resize(GTK_WINDOW(window), width, highest());
    } else if (height > f->height && y + height > highest() &&
               height <= toolkit_wanted_height(window)) {
        gtk_window_move(GTK_WINDOW(window), x, MAX(0, highest() - height));
    }
    f->height = height;
}

static gboolean on_soon(struct fit *f)
{
    GtkWidget *window = gtk_widget_get_toplevel(f->scrolled);

    f->soon = 0;
    if (gtk_widget_is_toplevel(window) && gtk_widget_get_visible(window)) {
        if (ask(f, window)) {
            f->settled = g_get_monotonic_time() + SETTLED;
        }
        place(f, window);
    }
    return G_SOURCE_REMOVE;
}

static void on_size(struct fit *f)
{
    if (f->soon == 0) {
        f->soon = g_idle_add(G_SOURCE_FUNC(on_soon), f);
    }
}

GtkWidget *dialog_fit_new(GtkWidget *inside)
{
    struct fit *f = g_new0(struct fit, 1);

    f->inside = inside;
    f->scrolled = toolkit_scrolled(inside);
    g_object_set_data_full(G_OBJECT(f->scrolled), "svdiff-fit", f, (GDestroyNotify)free_fit);
    return f->scrolled;
}

void dialog_fit_begin(GtkWidget *fit)
{
    struct fit *f = fit_of(fit);
    GtkWidget *window = gtk_widget_get_toplevel(fit);

    ask(f, window);
    g_signal_connect_swapped(f->inside, "size-allocate", G_CALLBACK(on_size), f);
    g_signal_connect_swapped(window, "size-allocate", G_CALLBACK(on_size), f);
}

void dialog_fit_show(GtkWidget *fit, GtkWidget *widget)
{
    GtkAdjustment *at = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(fit));
    int y = 0;

    if (gtk_widget_translate_coordinates(widget, fit_of(fit)->inside, 0, 0, NULL, &y)) {
        gtk_adjustment_set_value(
            at, MIN(y, gtk_adjustment_get_upper(at) - gtk_adjustment_get_page_size(at)));
    }
}
