/* svdiff compare: how alike subjects are. */
#include "engine/command/command.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/command/named_word.h"
#include "engine/options/option_rows.h"
#include "engine/plot/plot.h"
#include "engine/subject/compare.h"
#include "engine/subject/comparison.h"
#include "engine/subject/subject_lookup.h"

#include <math.h>
#include <string.h>

struct compare {
    struct command common;
    const char *plot, *csv;
    bool groups;

    int n;
    GPtrArray *paths, *names, *subjects; // as given or found, for people, opened
    double *cosine;                      // [LAYER_GROUPS, n, n]
    int *layers;                         // [LAYER_GROUPS, n, n]

    bool of_things;    // what is shown: things, else files
    GPtrArray *things; // their names
    int *thing;        // [n], of which one each file is
    double *shown;     // [LAYER_GROUPS, m, m]
    int *pairs;        // [m, m]
};

#define FIELD(field) offsetof(struct compare, field)

static const struct option rows[] = {
    OTHER(OPTION_FILE, "plot", FIELD(plot), NULL, "FILE", "the matrix as a figure (.png or .svg)"),
    OTHER(OPTION_FILE, "csv", FIELD(csv), NULL, "FILE",
          "each pair of names and group of layers as a line of group,first,second,pairs,cosine"),
    BOOL("groups", FIELD(groups), 0, 0,
         "show the same of groups of layers, too: the text encoder; down, mid, up and the ends of "
         "the UNet; attentions, feed-forward, norms, convolutions, others"),
};
static const struct option_table table = {"compare", sizeof(struct compare), rows,
                                          G_N_ELEMENTS(rows)};

/* ---- files and things ---- */

// the number of a thing, which is new where no file before was of it
static int thing_called(struct compare *c, const char *name)
{
    for (guint i = 0; i < c->things->len; i++) {
        if (strcmp(c->things->pdata[i], name) == 0) {
            return (int)i;
        }
    }
    g_ptr_array_add(c->things, g_strdup(name));
    return (int)c->things->len - 1;
}

// "fox" of "fox-2.safetensors=fox", at its "="; NULL: the word is a file alone
static const char *thing_at(const char *word)
{
    return subject_is_one(word) ? NULL : named_word_sign(word);
}

static bool take_word(struct compare *c, const char *word, GError **error)
{
    const char *at = thing_at(word);
    g_autofree char *file = at != NULL ? g_strndup(word, (gsize)(at - word)) : g_strdup(word);
    char *path = subject_path(file);
    g_autofree char *base = subject_name_of(path);
    g_autofree char *name = g_utf8_make_valid(at != NULL ? at + 1 : base, -1);

    if (at != NULL && (at == word || name[0] == '\0')) {
        g_free(path);
        return error_usage(error, "'%s': write SUBJECT=NAME, with the name of the thing.", word);
    }
    g_ptr_array_add(c->paths, path);
    c->thing[c->names->len] = thing_called(c, name);
    c->of_things = c->of_things || at != NULL;
    g_ptr_array_add(c->names, g_utf8_make_valid(base, -1));
    return true;
}

static bool take_words(struct compare *c, char *const *words, GError **error)
{
    c->thing = g_new0(int, c->n);
    for (int i = 0; i < c->n; i++) {
        if (!take_word(c, words[i], error)) {
            return false;
        }
    }
    return true;
}

static bool open_all(struct compare *c, GError **error)
{
    // what is written overwrites none of the subjects
    g_autoptr(output_guard) guard = command_guard(NULL);

    for (int i = 0; i < c->n; i++) {
        const char *path = c->paths->pdata[i];
        command_guard_subject(guard, path);
        struct subject *s = subject_open(path, error);
        if (s == NULL) {
            return false;
        }
        g_ptr_array_add(c->subjects, s);
    }
    return output_guard_writes(guard, "--plot", c->plot, error) &&
           output_guard_writes(guard, "--csv", c->csv, error);
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

static bool compare_all(struct compare *c, GError **error)
{
    const size_t matrix = (size_t)c->n * c->n;

    c->cosine = g_new0(double, LAYER_GROUPS *matrix);
    c->layers = g_new0(int, LAYER_GROUPS *matrix);
    return compare_subjects((const struct subject *const *)c->subjects->pdata,
                            (const char *const *)c->paths->pdata, c->n, c->cosine, c->layers,
                            error);
}

// what the text, the figure and the CSV have: things, where one was named, else files
static struct comparison show(struct compare *c)
{
    const int m = c->of_things ? (int)c->things->len : c->n;
    const size_t matrix = (size_t)m * m;

    c->pairs = g_new0(int, matrix);
    if (c->of_things) {
        c->shown = g_new0(double, LAYER_GROUPS *matrix);
        compare_things(c->cosine, c->n, c->thing, m, c->shown, c->pairs);
    }
    for (size_t i = 0; i < matrix && !c->of_things; i++) {
        c->pairs[i] = 1;
    }
    return (struct comparison){
        .n = m,
        .names = (const char *const *)(c->of_things ? c->things : c->names)->pdata,
        .cosine = c->of_things ? c->shown : c->cosine,
        .pairs = c->pairs,
        .groups = c->groups};
}

/* ---- result ---- */

// [n, n] of doubles, null for what is no number
static JsonArray *as_cosines(int n, const double *values)
{
    JsonArray *all = json_array_new();

    for (int i = 0; i < n; i++) {
        JsonArray *row = json_array_new();
        for (int j = 0; j < n; j++) {
            const double value = values[i * n + j];
            if (isnan(value)) {
                json_array_add_null_element(row);
            } else {
                json_array_add_double_element(row, value);
            }
        }
        json_array_add_array_element(all, row);
    }
    return all;
}

static JsonArray *as_counts(int n, const int *values)
{
    JsonArray *all = json_array_new();

    for (int i = 0; i < n; i++) {
        JsonArray *row = json_array_new();
        for (int j = 0; j < n; j++) {
            json_array_add_int_element(row, values[i * n + j]);
        }
        json_array_add_array_element(all, row);
    }
    return all;
}

// the groups of layers; layers NULL: how many there are is told of the files
static JsonArray *as_groups(int n, const double *cosine, const int *layers)
{
    JsonArray *all = json_array_new();
    const size_t matrix = (size_t)n * n;

    for (int g = LAYERS_ALL + 1; g < LAYER_GROUPS; g++) {
        JsonObject *one = json_object_new();
        json_object_set_string_member(one, "group", layer_group_name(g));
        json_object_set_array_member(one, "cosine", as_cosines(n, cosine + g * matrix));
        if (layers != NULL) {
            json_object_set_array_member(one, "layers", as_counts(n, layers + g * matrix));
        }
        json_array_add_object_element(all, one);
    }
    return all;
}

static JsonObject *things_as_json(const struct compare *c, const struct comparison *shown)
{
    JsonObject *all = json_object_new();
    JsonArray *names = json_array_new(), *of = json_array_new();

    for (int i = 0; i < shown->n; i++) {
        json_array_add_string_element(names, shown->names[i]);
    }
    for (int i = 0; i < c->n; i++) {
        json_array_add_int_element(of, c->thing[i]);
    }
    json_object_set_array_member(all, "names", names);
    json_object_set_array_member(all, "of", of);
    json_object_set_array_member(all, "cosine", as_cosines(shown->n, shown->cosine));
    json_object_set_array_member(all, "pairs", as_counts(shown->n, shown->pairs));
    json_object_set_array_member(all, "groups", as_groups(shown->n, shown->cosine, NULL));
    return all;
}

static JsonObject *as_json(const struct compare *c, const struct comparison *shown)
{
    JsonObject *all = json_object_new();
    JsonArray *subjects = json_array_new();

    for (int i = 0; i < c->n; i++) {
        // paths tell subjects of one name apart
        g_autofree char *path = g_utf8_make_valid(c->paths->pdata[i], -1);
        json_array_add_string_element(subjects, path);
    }
    json_object_set_array_member(all, "subjects", subjects);
    json_object_set_array_member(all, "cosine", as_cosines(c->n, c->cosine));
    json_object_set_array_member(all, "layers", as_counts(c->n, c->layers));
    json_object_set_array_member(all, "groups", as_groups(c->n, c->cosine, c->layers));
    if (c->of_things) {
        json_object_set_object_member(all, "things", things_as_json(c, shown));
    }
    return all;
}

static bool tell(const struct compare *c, const struct comparison *shown, GError **error)
{
    g_autoptr(JsonObject) result = as_json(c, shown);
    g_autofree char *text = comparison_text(shown);

    return report_result(c->common.report, result, text, error);
}

// files beside the table or the object that is told
static bool write_files(struct compare *c, const struct comparison *shown, GError **error)
{
    g_autofree char *csv = c->csv != NULL ? comparison_csv(shown) : NULL;

    if ((csv != NULL && !atomic_file_store(c->csv, csv, strlen(csv), error)) ||
        (c->plot != NULL && !comparison_plot(shown, c->plot, error))) {
        return false;
    }
    if (c->csv != NULL) {
        command_wrote(&c->common, c->csv);
    }
    if (c->plot != NULL) {
        command_wrote(&c->common, c->plot);
    }
    return true;
}

static void begin(void *command)
{
    struct compare *c = command;

    // lists grow as subjects are opened, so that what failed half is freed as well
    c->paths = g_ptr_array_new_with_free_func(g_free);
    c->names = g_ptr_array_new_with_free_func(g_free);
    c->things = g_ptr_array_new_with_free_func(g_free);
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
    if (!take_words(c, words, error) || (c->plot != NULL && !plot_check_name(c->plot, error)) ||
        !output_check(c->plot, error) || !output_check(c->csv, error) || !open_all(c, error) ||
        !compare_all(c, error)) {
        return false;
    }
    // compared all the same: lengths that agree can be compared, whatever it means
    warn_bases(c);
    const struct comparison shown = show(c);
    return write_files(c, &shown, error) && tell(c, &shown, error);
}

static void finish(void *command)
{
    struct compare *c = command;

    g_ptr_array_unref(c->paths);
    g_ptr_array_unref(c->names);
    g_ptr_array_unref(c->things);
    g_ptr_array_unref(c->subjects);
    g_free(c->cosine);
    g_free(c->layers);
    g_free(c->thing);
    g_free(c->shown);
    g_free(c->pairs);
}

// opens no model: subjects alone are compared
const struct command_kind command_compare = {
    .word = "compare",
    .purpose = "how alike subjects are",
    .summary =
        "Tells how alike subjects are: the cosine of their shifts, averaged over the layers. "
        "Subjects\nof different things are near 0, two of one thing near 1. Files that are of one "
        "thing, learned at\ndifferent rates for instance, get its name behind them: a cell is then "
        "the mean over pairs of\nfiles, and the diagonal tells how alike the files of one thing "
        "are:\n\n"
        "  svdiff compare fox-1=fox fox-2=fox owl-1=owl owl-2=owl --plot alike.svg",
    .usage = "SUBJECT[=NAME] SUBJECT[=NAME]...",
    .size = sizeof(struct compare),
    .table = &table,
    .begin = begin,
    .run = run,
    .finish = finish};
