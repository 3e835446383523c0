/* What --estimate of learn and generate prints: a line for people, an object for programs. */
#include "engine/command/command.h"

#include "engine/base/machine.h"

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
    if (e->seconds >= 0) {
        g_string_append_printf(text, "\ntime: about %.0f s", MAX(e->seconds, 1.0));
    }
    return g_string_free(text, FALSE);
}

static void member(JsonBuilder *j, const char *name, double value)
{
    json_builder_set_member_name(j, name);
    json_builder_add_double_value(j, value);
}

bool command_tell_estimate(struct command *c, const struct svdiff_estimate *e, GError **error)
{
    g_autoptr(JsonBuilder) j = json_builder_new();
    g_autofree char *text = sentence(e);

    json_builder_begin_object(j);
    json_builder_set_member_name(j, "bytes");
    json_builder_add_int_value(j, (gint64)e->bytes);
    json_builder_set_member_name(j, "least_bytes");
    json_builder_add_int_value(j, (gint64)e->least_bytes);
    if (machine_available_memory() != UINT64_MAX) {
        member(j, "available", (double)machine_available_memory());
    }
    member(j, "operations", e->operations);
    member(j, "seconds", e->seconds);
    json_builder_set_member_name(j, "marked");
    json_builder_begin_array(j);
    for (int i = 0; i < e->n_marked; i++) {
        json_builder_add_double_value(j, e->marked[i]);
    }
    json_builder_end_array(j);
    if (e->width > 0) {
        member(j, "width", e->width);
        member(j, "height", e->height);
    }
    json_builder_end_object(j);
    g_autoptr(JsonNode) root = json_builder_get_root(j);
    return report_result(c->report, root, text, error);
}
