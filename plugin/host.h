/* host.h: what the plug-in asks of a GIMP: host_items.c, and host_items_gimp*.c for what the two do
 * not do alike.
 *
 * Images and items (layers, channels, masks) are GIMP's ids, the same in 2.10 and 3; HOST_NONE is
 * none. All of it is for the main thread. */
#pragma once

#include <gegl.h>
#include <stdbool.h>

#define HOST_NONE (-1)

typedef int host_image;
typedef int host_item;

// pixels; x and y from the corner of the image
struct host_area {
    int x, y, width, height;
};

/* ---- reading ---- */

bool host_image_exists(host_image image);

/* Whether the item exists, belongs to the image, and is a layer (a channel, with channel). */
bool host_is_layer_of(host_item item, host_image image);
bool host_is_channel_of(host_item item, host_image image);

/* Whether the item is a layer of an image, and of which. */
bool host_layer_exists(host_item item);
host_image host_image_of(host_item item);

/* The layers that are chosen in the image, the current one first, in the place of a mask its layer;
 * with `several` for a procedure that wants more than one. None while a channel is active. Of
 * host_item. */
GArray *host_chosen_layers(host_image image, bool several);

/* The layer that was chosen before the channel that is active now, the quick mask or another, or
 * HOST_NONE. GIMP tells it only by making it active again, for a moment: not to be asked while
 * somebody paints. */
host_item host_layer_before(host_image image);

/* The layer that a drawable stands for: of a mask its layer, else itself. */
host_item host_layer_of(host_item item);

/* Whether a layer and all groups that it lies in are shown. */
bool host_is_shown(host_item layer);

/* All layers of all images, those in groups and the groups, too. Of host_item. */
GArray *host_all_layers(void);

/* The channel of the image with this name, or HOST_NONE. */
host_item host_channel_named(host_image image, const char *name);

/* The layer of the image with this name, or HOST_NONE. */
host_item host_layer_named(host_image image, const char *name);

/* All channels, and all layers with those in groups, from the top. Of host_item. */
GArray *host_channels(host_image image);
GArray *host_layers(host_image image);

/* How many colours an indexed image has; 0: it is not indexed. */
int host_palette_size(host_image image);

/* A copy of an indexed image in RGB, which is shown in a window. */
host_image host_copy_in_rgb(host_image image);

/* Where a layer or channel lies. */
struct host_area host_item_area(host_item item);

/* The one of these layers that lies above the others, as far as they lie in the group of the first.
 */
host_item host_highest(const host_item *layers, int n);

/* g_free it. */
char *host_item_name(host_item item);

/* The pixels as they are stored, to be read or, of a new item, written; of a layer with filters as
 * they are shown, to be read. The format's space is the image's profile, as far as babl knows it:
 * the rest is for host_to_srgb. g_object_unref it. */
GeglBuffer *host_buffer(host_item item);

/* R'G'B'A numbers [n] of a layer's buffer, read as those of sRGB, to what they are in sRGB, or
 * back, in place, where the image has a profile that babl cannot compute with. */
void host_to_srgb(host_image image, float *pixels, size_t n);
void host_from_srgb(host_image image, float *pixels, size_t n);

/* The mask of a layer that is applied when the image is shown, or HOST_NONE. */
host_item host_layer_mask(host_item layer);

/* What is selected, as a channel: the quick mask, if it is on, else the selection. */
host_item host_selection(host_image image);

/* The quick mask, or HOST_NONE while it is off. */
host_item host_quick_mask(host_image image);

/* The rectangle around the selection; false when nothing is selected. The quick mask is no
 * selection yet: layers_in_selection knows both. */
bool host_selection_area(host_image image, struct host_area *area);

/* A text that host_attach gave to a layer, or NULL. g_free it. */
char *host_attached(host_item layer, const char *name);

/* ---- making ---- */

/* A new empty image; host_image_show opens a window of it where there is a screen. */
host_image host_image_new(int width, int height);
void host_image_show(host_image image);

/* A layer with alpha in the image's mode and precision, or a group; not part of the image until
 * host_insert. */
host_item host_layer_new(host_image image, const char *name, const struct host_area *area);
host_item host_group_new(host_image image, const char *name);

/* Puts a layer into the image: on top of `parent`, a group, if that is not HOST_NONE, else right
 * above `below`, else on top of all. */
void host_insert(host_image image, host_item layer, host_item parent, host_item below);

/* Takes a layer out of its image, and the group that would be empty then. */
void host_remove(host_item layer);

/* A mask for the layer, which shows all of it; not part of the layer until host_mask_add, which
 * leaves the layer's pixels as what is painted in. */
host_item host_mask_new(host_item layer);
void host_mask_add(host_item layer, host_item mask);

/* Attaches a text to a layer under a name; it is saved with the image. */
void host_attach(host_item layer, const char *name, const char *text);

void host_undo_begin(host_image image);
void host_undo_end(host_image image);

/* Shows what was changed. */
void host_flush(void);

/* ---- telling ---- */

void host_progress_begin(const char *text);
void host_progress(double fraction); // negative: it goes on, one cannot say how far
void host_progress_end(void);

/* The file in the user's GIMP profile that keeps the last values. g_free it. */
char *host_values_file(void);
