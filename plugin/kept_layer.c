/* Layers of kept pictures; see kept_layer.h. */
#include "plugin/kept_layer.h"

#include <string.h>

#define KEY       "svdiff-picture" // "NAME CHECKSUM"
#define TILE_ROWS 256

// the pixels as they are stored
static void add_pixels(GChecksum *sum, host_item item)
{
    g_autoptr(GeglBuffer) buffer = host_buffer(item);
    const GeglRectangle *all = gegl_buffer_get_extent(buffer);
    const Babl *format = gegl_buffer_get_format(buffer);
    // some rows at a time: a layer may be larger than what memory is free
    const gsize row = (gsize)all->width * (gsize)babl_format_get_bytes_per_pixel(format);
    g_autofree guchar *bytes = g_malloc(row * TILE_ROWS);

    for (int y = 0; y < all->height; y += TILE_ROWS) {
        const int rows = MIN(TILE_ROWS, all->height - y);
        gegl_buffer_get(buffer, GEGL_RECTANGLE(all->x, all->y + y, all->width, rows), 1.0, format,
                        bytes, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        g_checksum_update(sum, bytes, (gssize)(row * (gsize)rows));
    }
}

// g_free it
static char *checksum(host_item layer, host_item mask)
{
    const struct host_area a = host_item_area(layer);
    g_autofree char *place =
        g_strdup_printf("%d %d %d %d %d", a.x, a.y, a.width, a.height, mask != HOST_NONE ? 1 : 0);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *)place, -1);
    add_pixels(sum, layer);
    if (mask != HOST_NONE) {
        add_pixels(sum, mask);
    }
    return g_strdup(g_checksum_get_string(sum));
}

void kept_layer_mark(host_item layer, host_item mask, const char *name)
{
    g_autofree char *sum = checksum(layer, mask);
    g_autofree char *text = g_strdup_printf("%s %s", name, sum);

    host_attach(layer, KEY, text);
}

GArray *kept_layer_find(char *const *names)
{
    g_autoptr(GArray) all = host_all_layers();
    GArray *found = g_array_new(FALSE, FALSE, sizeof(host_item));

    for (guint i = 0; i < all->len; i++) {
        const host_item layer = g_array_index(all, host_item, i);
        g_autofree char *text = host_attached(layer, KEY);
        g_auto(GStrv) words = g_strsplit(text != NULL ? text : "", " ", 2);
        if (g_strv_length(words) == 2 && g_strv_contains((const char *const *)names, words[0])) {
            // pixels are read only of layers that may be meant
            g_autofree char *sum = checksum(layer, host_layer_mask(layer));
            if (strcmp(words[1], sum) == 0) {
                g_array_append_val(found, layer);
            }
        }
    }
    return found;
}
