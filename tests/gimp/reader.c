/* In the plug-in's place, for measuring: a procedure that reads the layer and adds an empty one
 * above it. That is the least that one which works on layers needs in a GIMP. */
#include "plugin/entry.h"

bool entry_run(enum entry_mode mode, const struct call *chosen, values *v,
               struct call_result *result, GError **error)
{
    const host_item layer = chosen->layers[0];
    const struct host_area area = host_item_area(layer);
    g_autoptr(GeglBuffer) buffer = host_buffer(layer);
    g_autofree float *pixels = g_new(float, (size_t)area.width *area.height * 4);
    const host_item made = host_layer_new(chosen->image, "empty", &area);

    gegl_buffer_get(buffer, GEGL_RECTANGLE(0, 0, area.width, area.height), 1.0,
                    babl_format("R'G'B'A float"), pixels, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    host_undo_begin(chosen->image);
    host_insert(chosen->image, made, HOST_NONE, layer);
    host_undo_end(chosen->image);
    host_flush();
    result->layers = g_new(host_item, 1);
    result->layers[0] = made;
    result->n_layers = 1;
    return true;
}
