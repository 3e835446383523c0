/* svdiff compare: how alike subjects are. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/options/option_rows.h"
#include "engine/subject/compare.h"
#include "engine/subject/subject_lookup.h"

#include <string.h>

static const char summary[] =
    "Tells how alike subjects are: the cosine of their shifts, averaged over the layers. Subjects\n"
    "of different things are near 0, two of one thing near 1.";

struct compare {
    struct command common;
    const char *output;
    int n;
    GPtrArray *paths, *names, *subjects; // as given or found, for people, opened
    double *cosine;                      // [n, n]
    int *layers;                         // [n, n]
};

static const struct option rows[] = {
    OTHER(OPTION_FILE, "output", offsetof(struct compare, output), NULL, "FILE",
          "the matrix as a picture too (.png)"),
};
static const struct option_table table = {"compare", sizeof(struct compare), rows,
                                          G_N_ELEMENTS(rows)};

static bool open_all(struct compare *c, char *const *arguments, GError **error)
{
    g_autoptr(output_guard) guard = command_guard(NULL);

    for (int i = 0; i < c->n; i++) {
        char *path = subject_path(arguments[i]);
        g_autofree char *base = g_path_get_basename(path);
        if (g_str_has_suffix(base, ".safetensors")) {
            base[strlen(base) - strlen(".safetensors")] = '\0';
        }
        g_ptr_array_add(c->paths, path);
        g_ptr_array_add(c->names, g_utf8_make_valid(base, -1));
        command_guard_subject(guard, path);
        struct subject *s = subject_open(path, error);
        if (s == NULL) {
            return false;
        }
        g_ptr_array_add(c->subjects, s);
    }
    return output_guard_writes(guard, "--output", c->output, error);
}

// shifts of different models have different bases
static void warn_bases(const struct compare *c)
{
    const char *first = subject_metadata(c->subjects->pdata[0], "base_hash");

    for (int i = 1; i < c->n; i++) {
        const char *own = subject_metadata(c->subjects->pdata[i], "base_hash");
        if (first != NULL && own != NULL && strcmp(first, own) != 0) {
            report_warning(c->common.report,
                           "%s and %s were learned with different models (%.12s and %.12s): their "
                           "cosine means nothing.",
                           (const char *)c->paths->pdata[0], (const char *)c->paths->pdata[i],
                           first, own);
        }
    }
}

/* ---- result ---- */

static void add_numbers(JsonBuilder *j, const struct compare *c, int row, bool layers)
{
    json_builder_begin_array(j);
    for (int i = 0; i < c->n; i++) {
        if (layers) {
            json_builder_add_int_value(j, c->layers[row * c->n + i]);
        } else {
            json_builder_add_double_value(j, c->cosine[row * c->n + i]);
        }
    }
    json_builder_end_array(j);
}

static void add_matrix(JsonBuilder *j, const struct compare *c, const char *name, bool layers)
{
    json_builder_set_member_name(j, name);
    json_builder_begin_array(j);
    for (int i = 0; i < c->n; i++) {
        add_numbers(j, c, i, layers);
    }
    json_builder_end_array(j);
}

static JsonNode *describe(const struct compare *c)
{
    g_autoptr(JsonBuilder) j = json_builder_new();

    json_builder_begin_object(j);
    json_builder_set_member_name(j, "subjects");
    json_builder_begin_array(j);
    for (int i = 0; i < c->n; i++) {
        g_autofree char *path = g_utf8_make_valid(c->paths->pdata[i], -1);
        json_builder_add_string_value(j, path);
    }
    json_builder_end_array(j);
    add_matrix(j, c, "cosine", false);
    add_matrix(j, c, "layers", true);
    json_builder_end_object(j);
    return json_builder_get_root(j);
}

static bool tell(const struct compare *c, GError **error)
{
    g_autoptr(JsonNode) json = describe(c);
    g_autofree char *text = compare_text(c->cosine, (const char *const *)c->names->pdata, c->n);

    return report_result(c->common.report, json, text, error);
}

static bool draw(const struct compare *c, GError **error)
{
    g_autoptr(picture) p = compare_picture(c->cosine, c->n, error);

    return p != NULL && picture_write(c->output, p, NULL, 0, error);
}

static bool run(struct compare *c, char **arguments, GError **error)
{
    c->n = (int)g_strv_length(arguments);
    if (c->n < 2) {
        return error_usage(error, "Name two subjects or more: svdiff compare SUBJECT SUBJECT...");
    }
    if (c->output != NULL &&
        (!picture_check_name(c->output, error) || !output_check(c->output, error))) {
        return false;
    }
    c->cosine = g_new0(double, (gsize)c->n * c->n);
    c->layers = g_new0(int, (gsize)c->n * c->n);
    if (!open_all(c, arguments, error) ||
        !compare_subjects((const struct subject *const *)c->subjects->pdata,
                          (const char *const *)c->paths->pdata, c->n, c->cosine, c->layers,
                          error)) {
        return false;
    }
    warn_bases(c);
    return (c->output == NULL || draw(c, error)) && tell(c, error);
}

int command_compare(const struct caller *caller, int argc, char **argv)
{
    static const struct command_line line = {
        .summary = summary, .usage = "SUBJECT SUBJECT...", .table = &table};
    struct compare c = {.common.caller = caller,
                        .paths = g_ptr_array_new_with_free_func(g_free),
                        .names = g_ptr_array_new_with_free_func(g_free),
                        .subjects = g_ptr_array_new_with_free_func((GDestroyNotify)subject_free)};
    char **arguments = NULL;
    GError *error = NULL;
    int code = command_begin(&c.common, &argc, &argv, &line, NULL, &arguments);

    if (code == COMMAND_DONE && !run(&c, arguments, &error)) {
        code = command_fail(&c.common, error);
    } else if (code == COMMAND_DONE && c.output != NULL) {
        report_files(c.common.report, (const char *const[]){c.output, NULL});
    }
    g_ptr_array_unref(c.paths);
    g_ptr_array_unref(c.names);
    g_ptr_array_unref(c.subjects);
    g_free(c.cosine);
    g_free(c.layers);
    return command_end(&c.common, code);
}
