/* What learning several subjects says at its end, of how well they stay apart: a line for people,
 * an object for programs. */
#include "engine/command/command.h"

static JsonObject *as_json(const struct svdiff_subject *subjects, const struct svdiff_apart *a)
{
    JsonObject *all = json_object_new();
    JsonArray *list = json_array_new();

    json_object_set_string_member(all, "event", "apart");
    json_object_set_int_member(all, "pictures", a->pictures);
    json_object_set_array_member(all, "subjects", list);
    for (int i = 0; i < a->n_subjects; i++) {
        JsonObject *one = json_object_new();
        json_object_set_string_member(one, "prompt", subjects[i].prompt);
        json_object_set_double_member(one, "own", a->own[i]);
        json_object_set_double_member(one, "others", a->others[i]);
        json_array_add_object_element(list, one);
    }
    if (a->seam >= 0) {
        json_object_set_double_member(all, "seam", a->seam);
    }
    return all;
}

void command_tell_apart(struct command *c, const struct svdiff_subject *subjects,
                        const struct svdiff_apart *a)
{
    g_autoptr(JsonObject) result = as_json(subjects, a);
    g_autoptr(GString) text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < a->n_subjects; i++) {
        g_string_append_printf(text,
                               "attention on the words of '%s': %.0f of 100 in its region, %.0f in "
                               "the other's\n",
                               subjects[i].prompt, 100 * a->own[i], 100 * a->others[i]);
    }
    // a seam is where two halves meet; regions that somebody drew need not touch
    if (a->seam < 0) {
        g_string_append(text, "seam: none, the regions were drawn");
    } else {
        g_string_append_printf(text, "seam: %s times the change around it",
                               g_ascii_formatd(number, sizeof number, "%.2f", a->seam));
    }
    // the subject is written: that nobody reads this is no failure of the run
    report_result(c->report, result, text->str, NULL);
}
