/* What --estimate of learn and generate prints: a line for people, an object for programs. */
#include "engine/command/command.h"

#include "engine/base/machine.h"

// lines for people: memory, what masks mark, time where it is known
static char *sentence(const struct svdiff_estimate *e)
{
    g_autofree char *bytes = g_format_size_full(e->bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *least = g_format_size_full(e->least_bytes, G_FORMAT_SIZE_IEC_UNITS);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "memory: %s", bytes);
    if (e->least_bytes < e->bytes) {
        g_string_append_printf(text, ", %s where it is short", least);
    }
    for (int i = 0; i < e->n_marked; i++) {
        g_string_append_printf(text, "%s%.1f %%", i > 0 ? ", " : "\nmarked: ", 100 * e->marked[i]);
    }
    // a device that computes nothing has no speed
    if (e->seconds >= 0) {
        g_string_append_printf(text, "\ntime: about %.0f s", MAX(e->seconds, 1.0));
    }
    return g_string_free(text, FALSE);
}

static JsonObject *as_json(const struct svdiff_estimate *e)
{
    JsonObject *all = json_object_new();
    JsonArray *marked = json_array_new();
    const uint64_t available = machine_available_memory();

    json_object_set_int_member(all, "bytes", (gint64)e->bytes);
    json_object_set_int_member(all, "least_bytes", (gint64)e->least_bytes);
    if (available != UINT64_MAX) { // which is: nobody knows
        json_object_set_double_member(all, "available", (double)available);
    }
    json_object_set_double_member(all, "operations", e->operations);
    json_object_set_double_member(all, "seconds", e->seconds);
    json_object_set_array_member(all, "marked", marked);
    for (int i = 0; i < e->n_marked; i++) {
        json_array_add_double_element(marked, e->marked[i]);
    }
    // of learning there is no size of pictures that are made
    if (e->width > 0) {
        json_object_set_double_member(all, "width", e->width);
        json_object_set_double_member(all, "height", e->height);
    }
    return all;
}

bool command_tell_estimate(struct command *c, const struct svdiff_estimate *e, GError **error)
{
    g_autoptr(JsonObject) result = as_json(e);
    g_autofree char *text = sentence(e);

    return report_result(c->report, result, text, error);
}
