/* svdiff compare: how alike subjects are. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/options/option_rows.h"
#include "engine/subject/compare.h"
#include "engine/subject/subject_lookup.h"

#include <string.h>

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

// each is told apart by its name as it is typed or, for people, its file's
static bool open_all(struct compare *c, char *const *arguments, GError **error)
{
    // the picture overwrites none of the subjects
    g_autoptr(output_guard) guard = command_guard(NULL);

    for (int i = 0; i < c->n; i++) {
        char *path = subject_path(arguments[i]);
        g_autofree char *base = subject_name_of(path);
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
    // of subjects that do not say it nobody knows
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

// [n, n] of doubles, or where there are none of whole numbers
static JsonArray *as_matrix(int n, const double *values, const int *counts)
{
    JsonArray *all = json_array_new();

    for (int i = 0; i < n; i++) {
        JsonArray *row = json_array_new();
        for (int j = i * n; j < (i + 1) * n; j++) {
            if (values != NULL) {
                json_array_add_double_element(row, values[j]);
            } else {
                json_array_add_int_element(row, counts[j]);
            }
        }
        json_array_add_array_element(all, row);
    }
    return all;
}

static JsonObject *as_json(const struct compare *c)
{
    JsonObject *all = json_object_new();
    JsonArray *subjects = json_array_new();

    for (int i = 0; i < c->n; i++) {
        // paths tell subjects of one name apart
        g_autofree char *path = g_utf8_make_valid(c->paths->pdata[i], -1);
        json_array_add_string_element(subjects, path);
    }
    json_object_set_array_member(all, "subjects", subjects);
    json_object_set_array_member(all, "cosine", as_matrix(c->n, c->cosine, NULL));
    json_object_set_array_member(all, "layers", as_matrix(c->n, NULL, c->layers));
    return all;
}

static bool tell(const struct compare *c, GError **error)
{
    g_autoptr(JsonObject) result = as_json(c);
    g_autofree char *text = compare_text(c->cosine, (const char *const *)c->names->pdata, c->n);

    return report_result(c->common.report, result, text, error);
}

// the matrix as squares, beside the table or the object that is told
static bool draw(const struct compare *c, GError **error)
{
    g_autoptr(picture) p = compare_picture(c->cosine, c->n, error);

    return p != NULL && picture_write(c->output, p, NULL, 0, error);
}

static void begin(void *command)
{
    struct compare *c = command;

    // lists grow as subjects are opened, so that what failed half is freed as well
    c->paths = g_ptr_array_new_with_free_func(g_free);
    c->names = g_ptr_array_new_with_free_func(g_free);
    c->subjects = g_ptr_array_new_with_free_func((GDestroyNotify)subject_free);
}

static bool run(void *command, char *const *words, GError **error)
{
    struct compare *c = command;

    c->n = (int)g_strv_length((char **)words);
    // with one there is nothing to compare
    if (c->n < 2) {
        return error_usage(error, "Name two subjects or more: svdiff compare SUBJECT SUBJECT...");
    }
    if (c->output != NULL &&
        (!picture_check_name(c->output, error) || !output_check(c->output, error))) {
        return false;
    }
    // both are symmetric, and whole
    c->cosine = g_new0(double, (gsize)c->n * c->n);
    c->layers = g_new0(int, (gsize)c->n * c->n);
    if (!open_all(c, words, error) ||
        !compare_subjects((const struct subject *const *)c->subjects->pdata,
                          (const char *const *)c->paths->pdata, c->n, c->cosine, c->layers,
                          error)) {
        return false;
    }
    // compared all the same: lengths that agree can be compared, whatever it means
    warn_bases(c);
    if ((c->output != NULL && !draw(c, error)) || !tell(c, error)) {
        return false;
    }
    if (c->output != NULL) {
        command_wrote(&c->common, c->output);
    }
    return true;
}

static void finish(void *command)
{
    struct compare *c = command;

    g_ptr_array_unref(c->paths);
    g_ptr_array_unref(c->names);
    g_ptr_array_unref(c->subjects);
    g_free(c->cosine);
    g_free(c->layers);
}

// opens no model: subjects alone are compared
const struct command_kind command_compare = {
    .word = "compare",
    .purpose = "how alike subjects are",
    .summary =
        "Tells how alike subjects are: the cosine of their shifts, averaged over the layers. "
        "Subjects\nof different things are near 0, two of one thing near 1.",
    .usage = "SUBJECT SUBJECT...",
    .size = sizeof(struct compare),
    .table = &table,
    .begin = begin,
    .run = run,
    .finish = finish};
