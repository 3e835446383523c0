/* Buttons of a dialog; see dialog_buttons.h. */
#include "plugin/dialog_buttons.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

static GtkWidget *add(GtkWidget *window, const char *name, int response, const char *help)
{
    GtkWidget *button = gtk_dialog_add_button(GTK_DIALOG(window), name, response);

    gimp_help_set_help_data(button, help, NULL);
    return button;
}

// beside the one that starts, and not to be seen yet
static void add_hidden(GtkWidget *window, const char *name, int response, const char *help)
{
    toolkit_hidden(add(window, name, response, help));
}

// at the other side, beside Help
static void add_aside(GtkWidget *window, const char *name, int response, const char *help)
{
    GtkWidget *button = add(window, name, response, help);
    GtkWidget *area = gtk_widget_get_parent(button);

    gtk_button_box_set_child_secondary(GTK_BUTTON_BOX(area), button, TRUE);
}

static void add_buttons(GtkWidget *window, const struct procedure *p)
{
    if (p->id == PROCEDURE_LEARN || p->id == PROCEDURE_COMPOSE) {
        add_hidden(window, _("Stop and _Keep"), DIALOG_STOP,
                   _("No more is learned; what was learned so far is kept and used."));
    }
    if (p->id == PROCEDURE_LEARN) {
        add_hidden(window, _("Pa_int It Now"), DIALOG_PAINT,
                   _("Closes this dialog and opens the one that generates, with the subject."));
    }
    add_aside(window, _("Re_set"), DIALOG_RESET,
              _("All fields as they are when nothing was chosen yet."));
    if (p->result == RESULT_LAYERS && p->input != INPUT_NONE) {
        add_aside(window, _("Settings of La_yer"), DIALOG_SETTINGS,
                  _("Takes the settings that the layer was made with, if SVDiff made it."));
    }
}

GtkWidget *dialog_buttons_new(const struct procedure *p)
{
    GtkWidget *window =
        gimp_dialog_new(_(p->title), "svdiff", NULL, 0, gimp_standard_help_func, p->name,
                        _("_Close"), GTK_RESPONSE_CLOSE, _(p->action), GTK_RESPONSE_OK, NULL);

    gimp_window_set_transient(GTK_WINDOW(window));
    gtk_dialog_set_default_response(GTK_DIALOG(window), GTK_RESPONSE_OK);
    add_buttons(window, p);
    return window;
}

void dialog_buttons_show(GtkWidget *window, int response, bool shown)
{
    GtkWidget *button = gtk_dialog_get_widget_for_response(GTK_DIALOG(window), response);

    if (button != NULL) {
        gtk_widget_set_visible(button, shown);
    }
}

// the button keeps its place and its response: only its name changes
void dialog_buttons_running(GtkWidget *window, bool running)
{
    GtkWidget *close = gtk_dialog_get_widget_for_response(GTK_DIALOG(window), GTK_RESPONSE_CLOSE);

    dialog_buttons_show(window, DIALOG_STOP, false);
    if (running) { // it was of what was learned before
        dialog_buttons_show(window, DIALOG_PAINT, false);
    }
    gtk_button_set_label(GTK_BUTTON(close), running ? _("_Cancel") : _("_Close"));
}
