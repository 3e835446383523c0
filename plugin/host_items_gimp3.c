/* What GIMP 3 alone does so; see host.h and host_ids.h. */
#include "plugin/host_ids.h"

// the ids of a list of objects that ends with NULL, or is NULL; frees the list
static GArray *take_ids(void *objects)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(int));

    for (void **object = objects; object != NULL && *object != NULL; object++) {
        const int id = id_of(*object);
        g_array_append_val(all, id);
    }
    g_free(objects);
    return all;
}

GArray *host_list(enum host_list list, int of)
{
    switch (list) {
    case HOST_IMAGES:
        return take_ids(gimp_get_images());
    case HOST_LAYERS:
        return take_ids(gimp_image_get_layers(IMAGE(of)));
    case HOST_CHANNELS:
        return take_ids(gimp_image_get_channels(IMAGE(of)));
    case HOST_CHILDREN:
        return take_ids(gimp_item_get_children(ITEM(of)));
    }
    g_assert_not_reached();
}

GArray *host_chosen_layers(host_image image, bool several)
{
    return take_ids(gimp_image_get_selected_layers(IMAGE(image)));
}

host_item host_layer_before(host_image image)
{
    g_autofree GimpChannel **channels = gimp_image_get_selected_channels(IMAGE(image));

    gimp_image_unset_active_channel(IMAGE(image));
    g_autoptr(GArray) layers = host_chosen_layers(image, false);
    if (channels != NULL && channels[0] != NULL) {
        gimp_image_set_selected_channels(IMAGE(image), (const GimpChannel **)channels);
    }
    return layers->len > 0 ? g_array_index(layers, host_item, 0) : HOST_NONE;
}

/* ---- pixels ---- */

int host_palette_size(host_image image)
{
    const bool indexed = gimp_image_get_base_type(IMAGE(image)) == GIMP_INDEXED;
    GimpPalette *palette = indexed ? gimp_image_get_palette(IMAGE(image)) : NULL;

    return palette != NULL ? gimp_palette_get_color_count(palette) : 0;
}

// the part of a layer's pixels that lies where another, of the same image or a copy, lies
static GeglBuffer *part_of(host_item from, host_item where)
{
    g_autoptr(GeglBuffer) pixels = gimp_drawable_get_buffer(DRAWABLE(from));
    const struct host_area here = host_item_area(from), there = host_item_area(where);
    const GeglRectangle whole = {0, 0, there.width, there.height};
    const GeglRectangle part = {there.x - here.x, there.y - here.y, there.width, there.height};
    GeglBuffer *buffer = gegl_buffer_new(&whole, gegl_buffer_get_format(pixels));

    gegl_buffer_copy(pixels, &part, GEGL_ABYSS_NONE, buffer, &whole);
    return buffer;
}

/* What a layer shows with its filters, within its own rectangle. They are merged in a copy of the
 * image, which shares its memory: merging changes the image that it happens in, even where the
 * layer is not part of it. Names of layers are unique. */
static GeglBuffer *filtered_buffer(host_item layer)
{
    GimpImage *image = gimp_image_duplicate(gimp_item_get_image(ITEM(layer)));
    g_autofree char *name = host_item_name(layer);
    GimpLayer *copy = gimp_image_get_layer_by_name(image, name);

    gimp_drawable_merge_filters(GIMP_DRAWABLE(copy));
    GeglBuffer *buffer = part_of(id_of(copy), layer);
    gimp_image_delete(image);
    return buffer;
}

GeglBuffer *host_buffer(host_item item)
{
    g_autofree GimpDrawableFilter **filters = gimp_drawable_get_filters(DRAWABLE(item));
    const bool filtered = gimp_item_id_is_layer(item) && !gimp_item_id_is_group_layer(item) &&
                          filters != NULL && filters[0] != NULL;

    return filtered ? filtered_buffer(item) : gimp_drawable_get_buffer(DRAWABLE(item));
}
