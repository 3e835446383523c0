/* host_ids.h: GIMP 2.10 and GIMP 3 under one set of names, for what is compiled once for each.
 *
 * GIMP 2.10's library takes the ids themselves, GIMP 3's takes objects, which belong to the
 * library and are never released here. Calls are written in GIMP 3's names, with IMAGE(id),
 * ITEM(id) and so on around what they take, and id_of() around what they give; what the two do not
 * do alike is in host_items_gimp2.c and host_items_gimp3.c. */
#pragma once

#include "plugin/host.h"

#include <libgimp/gimp.h>

#if GIMP_MAJOR_VERSION == 2
#define IMAGE(id)    (id)
#define ITEM(id)     (id)
#define DRAWABLE(id) (id)
#define LAYER(id)    (id)
#define MASK(id)     (id)
#define GROUP(id)    ((id) != HOST_NONE ? (id) : 0) // -1 would be where the current layer is

#define gimp_image_id_is_valid            gimp_image_is_valid
#define gimp_image_get_base_type          gimp_image_base_type
#define gimp_item_id_is_valid             gimp_item_is_valid
#define gimp_item_id_is_layer             gimp_item_is_layer
#define gimp_item_id_is_channel           gimp_item_is_channel
#define gimp_item_id_is_layer_mask        gimp_item_is_layer_mask
#define gimp_drawable_get_width           gimp_drawable_width
#define gimp_drawable_get_height          gimp_drawable_height
#define gimp_drawable_get_offsets         gimp_drawable_offsets
#define gimp_group_layer_new(image, name) gimp_layer_group_new(image)

static inline int id_of(gint32 id)
{
    return id > 0 ? id : HOST_NONE;
}
#else
#define IMAGE(id)    gimp_image_get_by_id(id)
#define ITEM(id)     gimp_item_get_by_id(id)
#define DRAWABLE(id) gimp_drawable_get_by_id(id)
#define LAYER(id)    gimp_layer_get_by_id(id)
#define MASK(id)     gimp_layer_mask_get_by_id(id)
#define GROUP(id)    gimp_layer_get_by_id(id) // NULL for none

static inline int id_of(void *object)
{
    return object == NULL          ? HOST_NONE
           : GIMP_IS_IMAGE(object) ? gimp_image_get_id(object)
                                   : gimp_item_get_id(object);
}
#endif

// what GIMP can list
enum host_list {
    HOST_IMAGES,
    HOST_LAYERS,   // of an image, those outside of groups, from the top
    HOST_CHANNELS, // of an image, from the top
    HOST_CHILDREN, // of a group, from the top
};

/* What GIMP is told of a call that failed with one of our errors. */
GimpPDBStatusType host_status(const GError *error);

// of the procedures
#define AUTHORS "The SVDiff for GIMP authors"
#define LICENSE "GPL-3.0-or-later"
#define YEAR    "2026"

/* The ids of a list, as int; `of`: the image or the group that has it. g_array_unref it. */
GArray *host_list(enum host_list list, int of);
