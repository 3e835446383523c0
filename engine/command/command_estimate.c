/* What --estimate of learn and generate prints: a line for people, an object for programs. */
#include "engine/command/command.h"

static const char *effort_word(int i)
{
    return option_word(option_find(&options_of_learn, "effort"), SVDIFF_EFFORT_QUICK + i);
}

// "effort quick: 90 steps, ..."; where times are known "by effort: quick 12 s, normal 40 s, ..."
static void append_efforts(GString *text, const struct command_efforts *efforts, bool timed)
{
    g_string_append_printf(text, "\neffort %s: %s",
                           effort_word(efforts->chosen - SVDIFF_EFFORT_QUICK), efforts->text);
    for (int i = 0; i < SVDIFF_EFFORTS && timed; i++) {
        g_string_append_printf(text, "%s%s %.0f s", i == 0 ? "\nby effort: " : ", ", effort_word(i),
                               MAX(efforts->seconds[i], 1.0));
    }
}

static const char *method_word(int i)
{
    return option_word(option_method(&options_of_learn), i);
}

// "file of lora: 3.1 MB", "by method: svdiff 1.1 MB, lora 3.1 MB, ..."
static void append_methods(GString *text, const struct command_efforts *efforts)
{
    const char *before = "\nby method: ";
    g_autofree char *own = g_format_size(efforts->files[efforts->method]);

    g_string_append_printf(text, "\nfile of %s: %s", method_word((int)efforts->method), own);
    for (int i = 0; i < SVDIFF_METHODS; i++) {
        g_autofree char *size = g_format_size(efforts->files[i]);
        if (efforts->files[i] > 0) {
            g_string_append_printf(text, "%s%s %s", before, method_word(i), size);
            before = ", ";
        }
    }
}

// lines for people: memory, what masks mark, time where it is known
static char *sentence(const struct svdiff_estimate *e, const struct command_efforts *efforts)
{
    g_autofree char *bytes = g_format_size_full(e->bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *least = g_format_size_full(e->least_bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *together =
        g_format_size_full(e->bytes * (uint64_t)e->devices, G_FORMAT_SIZE_IEC_UNITS);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "device: %s\nmemory: %s", e->device, bytes);
    if (e->devices > 1) {
        g_string_append_printf(text, " on each of %d devices, %s together", e->devices, together);
    }
    if (e->least_bytes < e->bytes) {
        g_string_append_printf(text, ", %s%s where it is short", least,
                               e->devices > 1 ? " each" : "");
    }
    for (int i = 0; i < e->n_marked; i++) {
        g_string_append_printf(text, "%s%.1f %%", i > 0 ? ", " : "\nmarked: ", 100 * e->marked[i]);
    }
    // a device that computes nothing has no speed
    if (e->seconds >= 0) {
        g_string_append_printf(text, "\ntime: about %.0f s", MAX(e->seconds, 1.0));
    }
    if (efforts != NULL) {
        append_efforts(text, efforts, e->seconds >= 0);
        g_string_append_printf(text, "\nlearns: %" G_GINT64_FORMAT " numbers in %d tensors",
                               e->values, e->tensors);
        append_methods(text, efforts);
    }
    return g_string_free(text, FALSE);
}

// "effort": the chosen one; "efforts": the seconds of each; "defaults": options of the chosen one
static void add_efforts(JsonObject *all, const struct command_efforts *efforts)
{
    JsonObject *seconds = json_object_new();

    for (int i = 0; i < SVDIFF_EFFORTS; i++) {
        json_object_set_double_member(seconds, effort_word(i), efforts->seconds[i]);
    }
    json_object_set_string_member(all, "effort",
                                  effort_word(efforts->chosen - SVDIFF_EFFORT_QUICK));
    json_object_set_object_member(all, "efforts", seconds);
    json_object_set_object_member(all, "defaults",
                                  command_list_defaults(&options_of_learn, &efforts->defaults));
}

// "method": the chosen one; "methods": the bytes of each one's file
static void add_methods(JsonObject *all, const struct command_efforts *efforts)
{
    JsonObject *files = json_object_new();

    for (int i = 0; i < SVDIFF_METHODS; i++) {
        if (efforts->files[i] > 0) {
            json_object_set_int_member(files, method_word(i), (gint64)efforts->files[i]);
        }
    }
    json_object_set_string_member(all, "method", method_word((int)efforts->method));
    json_object_set_object_member(all, "methods", files);
}

static JsonObject *as_json(const struct svdiff_estimate *e, const struct command_efforts *efforts)
{
    JsonObject *all = json_object_new();
    JsonArray *marked = json_array_new();

    json_object_set_string_member(all, "device", e->device);
    json_object_set_int_member(all, "devices", e->devices);
    json_object_set_int_member(all, "bytes", (gint64)e->bytes);
    json_object_set_int_member(all, "all_bytes", (gint64)e->bytes * e->devices);
    json_object_set_int_member(all, "least_bytes", (gint64)e->least_bytes);
    if (e->available != UINT64_MAX) { // which is: nobody knows
        json_object_set_double_member(all, "available", (double)e->available);
    }
    json_object_set_double_member(all, "operations", e->operations);
    json_object_set_double_member(all, "seconds", e->seconds);
    json_object_set_array_member(all, "marked", marked);
    for (int i = 0; i < e->n_marked; i++) {
        json_array_add_double_element(marked, e->marked[i]);
    }
    if (efforts != NULL) {
        add_efforts(all, efforts);
        json_object_set_int_member(all, "values", e->values);
        json_object_set_int_member(all, "tensors", e->tensors);
        add_methods(all, efforts);
    }
    // of learning there is no size of pictures that are made
    if (e->width > 0) {
        json_object_set_double_member(all, "width", e->width);
        json_object_set_double_member(all, "height", e->height);
    }
    return all;
}

bool command_tell_estimate(struct command *c, const struct svdiff_estimate *e,
                           const struct command_efforts *efforts, GError **error)
{
    g_autoptr(JsonObject) result = as_json(e, efforts);
    g_autofree char *text = sentence(e, efforts);

    return report_result(c->report, result, text, error);
}
