/* What learning several subjects says at its end, of how well they stay apart: a line for people,
 * an object for programs. */
#include "engine/command/command.h"

static JsonNode *as_json(const struct svdiff_subject *subjects, const struct svdiff_apart *a)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "event");
    json_builder_add_string_value(b, "apart");
    json_builder_set_member_name(b, "pictures");
    json_builder_add_int_value(b, a->pictures);
    json_builder_set_member_name(b, "subjects");
    json_builder_begin_array(b);
    for (int i = 0; i < a->n_subjects; i++) {
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "prompt");
        json_builder_add_string_value(b, subjects[i].prompt);
        json_builder_set_member_name(b, "own");
        json_builder_add_double_value(b, a->own[i]);
        json_builder_set_member_name(b, "others");
        json_builder_add_double_value(b, a->others[i]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    if (a->seam >= 0) {
        json_builder_set_member_name(b, "seam");
        json_builder_add_double_value(b, a->seam);
    }
    json_builder_end_object(b);
    return json_builder_get_root(b);
}

void command_tell_apart(struct command *c, const struct svdiff_subject *subjects,
                        const struct svdiff_apart *a)
{
    g_autoptr(JsonNode) node = as_json(subjects, a);
    g_autoptr(GString) text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < a->n_subjects; i++) {
        g_string_append_printf(text,
                               "attention on the words of '%s': %.0f of 100 in its region, %.0f in "
                               "the other's\n",
                               subjects[i].prompt, 100 * a->own[i], 100 * a->others[i]);
    }
    g_string_append_printf(text, "seam: %s",
                           a->seam < 0 ? "none, the regions were drawn"
                                       : g_ascii_formatd(number, sizeof number, "%.2f", a->seam));
    if (a->seam >= 0) {
        g_string_append(text, " times the change around it");
    }
    report_result(c->report, node, text->str, NULL);
}
