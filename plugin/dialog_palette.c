/* A copy in RGB is offered; see dialog_palette.h. */
#include "plugin/dialog_palette.h"

#include "plugin/words.h"

static bool wants_copy(GtkWidget *parent, int colours)
{
    GtkWidget *window = gtk_message_dialog_new(
        GTK_WINDOW(parent), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE,
        _("The image is indexed: what is painted could have only its %d colours. The pictures can "
          "come into a copy of it in RGB; the image itself stays as it is."),
        colours);

    gtk_window_set_title(GTK_WINDOW(window), _("SVDiff: Colours"));
    gtk_dialog_add_button(GTK_DIALOG(window), _("_Cancel"), GTK_RESPONSE_CANCEL);
    gtk_dialog_add_button(GTK_DIALOG(window), _("_Make an RGB Copy"), GTK_RESPONSE_OK);
    gtk_dialog_set_default_response(GTK_DIALOG(window), GTK_RESPONSE_OK);
    toolkit_tell("asks: a copy in RGB");
    const bool yes = gtk_dialog_run(GTK_DIALOG(window)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(window);
    return yes;
}

bool dialog_palette_good(struct dialog_target *t, GtkWidget *parent)
{
    const host_image image = t->call.image;
    // learning only reads the image: its colours are enough
    const int colours = t->procedure->result == RESULT_LAYERS && host_image_exists(image)
                            ? host_palette_size(image)
                            : 0;

    if (colours == 0) {
        return true;
    }
    if (!wants_copy(parent, colours)) {
        return false;
    }
    dialog_target_set(t, host_copy_in_rgb(image), NULL, 0);
    return dialog_target_update(t, NULL); // the layers that are chosen in it
}
