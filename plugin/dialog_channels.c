/* Choosing a channel; see dialog_channels.h. GIMP's own list knows the channels of one image at one
 * time; the dialog stays open. */
#include "plugin/dialog_channels.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#define PICTURE_SIDE 24 // pixels

// the picture is what the channel marks, small
static void add_channel(GtkWidget *list, host_item channel)
{
    g_autofree char *name = host_item_name(channel);
    g_autoptr(GdkPixbuf) picture = toolkit_thumbnail(channel, PICTURE_SIDE);

    gimp_int_combo_box_append(GIMP_INT_COMBO_BOX(list), GIMP_INT_STORE_VALUE, channel,
                              GIMP_INT_STORE_LABEL, name, GIMP_INT_STORE_PIXBUF, picture, -1);
}

// whether the list shows these; a list that is open is not to be taken away
static bool shows(GtkWidget *list, const GArray *channels)
{
    GtkTreeModel *model = gtk_combo_box_get_model(GTK_COMBO_BOX(list));
    const int n = (int)channels->len;
    bool same = gtk_tree_model_iter_n_children(model, NULL) == n + 1;
    GtkTreeIter row;

    for (int i = 0; same && i < n && gtk_tree_model_iter_nth_child(model, &row, NULL, i + 1); i++) {
        const host_item channel = g_array_index(channels, host_item, i);
        g_autofree char *now = host_item_name(channel);
        g_autofree char *label = NULL;
        int id;
        gtk_tree_model_get(model, &row, GIMP_INT_STORE_VALUE, &id, GIMP_INT_STORE_LABEL, &label,
                           -1);
        same = id == channel && g_strcmp0(label, now) == 0;
    }
    return same;
}

// all but the first row, "(none)": GIMP's list has one of its own while it has no other
static void forget_channels(GtkTreeModel *model)
{
    GtkTreeIter row;

    while (gtk_tree_model_iter_nth_child(model, &row, NULL, 1)) {
        gtk_list_store_remove(GTK_LIST_STORE(model), &row);
    }
}

host_item dialog_channels_get(GtkWidget *list)
{
    int channel = HOST_NONE;

    gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(list), &channel);
    return channel;
}

void dialog_channels_renew(GtkWidget *list, host_image image)
{
    // kept over the new rows, unless the channel is gone
    const host_item chosen = dialog_channels_get(list);
    g_autoptr(GArray) channels = host_image_exists(image)
                                     ? host_channels(image)
                                     : g_array_new(FALSE, FALSE, sizeof(host_item));

    if (shows(list, channels)) {
        return;
    }
    forget_channels(gtk_combo_box_get_model(GTK_COMBO_BOX(list)));
    for (guint i = 0; i < channels->len; i++) {
        add_channel(list, g_array_index(channels, host_item, i));
    }
    if (!gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(list), chosen)) {
        gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(list), HOST_NONE);
    }
    toolkit_tell("channels: %u", channels->len);
}

GtkWidget *dialog_channels_new(host_image image)
{
    GtkWidget *list = g_object_new(GIMP_TYPE_INT_COMBO_BOX, NULL);

    gimp_int_combo_box_append(GIMP_INT_COMBO_BOX(list), GIMP_INT_STORE_VALUE, HOST_NONE,
                              GIMP_INT_STORE_LABEL, _("(none)"), -1);
    gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(list), HOST_NONE);
    dialog_channels_renew(list, image);
    return list;
}
