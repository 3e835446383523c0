/* svdiff directions: directions in the space of shifts, as subject files and as strips of pictures. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/command/kept_model.h"
#include "engine/command/made_text.h"
#include "engine/command/picture_settings.h"
#include "engine/generate/strip_column.h"
#include "engine/generate/strip_sheet.h"
#include "engine/options/option_rows.h"
#include "engine/session/session.h"
#include "engine/subject/directions.h"
#include "engine/subject/subject_lookup.h"

#include <errno.h>
#include <glib/gstdio.h>

struct direct {
    struct command common;
    const char *output, *prompt, *strip;
    int count, random, steps;
    uint64_t seed;

    GPtrArray *paths, *subjects; // as found, opened
    directions *found;
    GPtrArray *made;     // char *: names of what is written, "principal-1"
    struct strip values; // over which they are drawn
    svdiff *session;     // NULL: nothing is drawn
};

#define FIELD(field) offsetof(struct direct, field)

static const struct option rows[] = {
    OTHER(OPTION_FILE, "output", FIELD(output), NULL, "FOLDER",
          "where mean, principal-1 ..., random-1 ... are written"),
    INT("count", FIELD(count), 10, 0, 1000, 0, "N",
        "principal directions, where there are so many ({default})"),
    INT("random", FIELD(random), 0, 0, 1000, 0, "N", "random directions ({default})"),
    OTHER(
        OPTION_TEXT, "prompt", FIELD(prompt), NULL, "TEXT",
        "draw each of them with this text: principal ones around the mean, random ones around the "
        "model"),
    OTHER(OPTION_TEXT, "strip", FIELD(strip), "-2..2:5", "FROM..TO:N|A,B,C",
          "the strengths at which they are drawn ({default})"),
    INT("steps", FIELD(steps), 0, 0, 1e6, 0, "N", "sampling steps (0: the model's own)"),
    SEED_ROW,
};
static const struct option_table table = {"directions", sizeof(struct direct), rows,
                                          G_N_ELEMENTS(rows)};

// owned by the caller
static char *path_of(const struct direct *d, const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);

    return g_build_filename(d->output, file, NULL);
}

/* ---- before anything is written ---- */

// of "0,20": the values of a strip that needs no name here
static bool take_strip(struct direct *d, GError **error)
{
    g_autofree char *strip = g_strconcat("scale=", d->strip, NULL);
    bool good = strip_parse(strip, &d->values, NULL);

    for (int i = 0; i < d->values.n && good; i++) {
        char *end;
        g_ascii_strtod(d->values.values[i], &end);
        good = *end == '\0';
    }
    return good || error_usage(error,
                               "--strip '%s' says no values; write FROM..TO:N, such as -2..2:5, or "
                               "A,B,C with 2 to %d numbers.",
                               d->strip, STRIP_MAX);
}

// without a text nothing is drawn
static bool check_drawing(struct direct *d, GError **error)
{
    static const char *const options[] = {"strip", "steps"};

    for (size_t i = 0; i < G_N_ELEMENTS(options) && d->prompt == NULL; i++) {
        if (given_has(&d->common.given, options[i])) {
            return error_usage(error, "--%s is of what is drawn; say what with --prompt TEXT.",
                               options[i]);
        }
    }
    return d->prompt == NULL || take_strip(d, error);
}

static bool check_usage(struct direct *d, char *const *words, GError **error)
{
    if (words[0] == NULL || words[1] == NULL || d->output == NULL) {
        return error_usage(error, "Name two subjects or more, and a folder: svdiff directions "
                                  "SUBJECT SUBJECT... --output FOLDER.");
    }
    if (d->count + d->random == 0) {
        return error_usage(error, "--count and --random are both 0; ask for a direction.");
    }
    return check_drawing(d, error);
}

static bool open_subjects(struct direct *d, char *const *words, GError **error)
{
    for (; *words != NULL; words++) {
        char *path = subject_path(*words);
        g_ptr_array_add(d->paths, path);
        struct subject *s = subject_open(path, error);
        if (s == NULL) {
            return false;
        }
        g_ptr_array_add(d->subjects, s);
    }
    d->found =
        directions_create((const struct subject *const *)d->subjects->pdata,
                          (const char *const *)d->paths->pdata, (int)d->subjects->len, error);
    return d->found != NULL;
}

static int principal(const struct direct *d)
{
    return MIN(d->count, directions_count(d->found));
}

static void name_all(struct direct *d)
{
    g_ptr_array_add(d->made, g_strdup("mean"));
    for (int k = 0; k < principal(d); k++) {
        g_ptr_array_add(d->made, g_strdup_printf("principal-%d", k + 1));
    }
    for (int k = 0; k < d->random; k++) {
        g_ptr_array_add(d->made, g_strdup_printf("random-%d", k + 1));
    }
}

// none of the subjects is overwritten, and nothing of the model
static bool check_overwrites(const struct direct *d, GError **error)
{
    g_autoptr(output_guard) guard = command_guard(d->session);
    bool good = true;

    for (guint i = 0; i < d->paths->len; i++) {
        command_guard_subject(guard, d->paths->pdata[i]);
    }
    for (guint i = 0; i < d->made->len && good; i++) {
        g_autofree char *file = path_of(d, d->made->pdata[i], ".safetensors");
        g_autofree char *drawn = path_of(d, d->made->pdata[i], ".png");
        good = output_guard_writes(guard, "--output", file, error) &&
               output_guard_writes(guard, "--output", drawn, error);
    }
    return good;
}

/* ---- files ---- */

// i: in the list of names
static struct subject *direction(const struct direct *d, guint i)
{
    const int k = (int)i - 1 - principal(d);

    return i == 0  ? directions_mean(d->found)
           : k < 0 ? directions_principal(d->found, (int)i - 1)
                   : directions_random(d->found, d->seed, k);
}

static bool write_all(struct direct *d, GError **error)
{
    if (g_mkdir_with_parents(d->output, 0777) != 0) {
        return error_failed(error, "%s: cannot be made a folder: %s.", d->output,
                            g_strerror(errno));
    }
    for (guint i = 0; i < d->made->len; i++) {
        g_autofree char *path = path_of(d, d->made->pdata[i], ".safetensors");
        g_autoptr(subject_file) s = direction(d, i);
        if (!subject_write(s, path, error)) {
            return false;
        }
        command_wrote(&d->common, path);
    }
    return true;
}

static bool tell(struct direct *d, GError **error)
{
    g_autoptr(JsonObject) result = json_object_new();
    JsonArray *shares = json_array_new();
    g_autoptr(GString) text = g_string_new(NULL);

    for (int k = 0; k < principal(d); k++) {
        const double share = directions_share(d->found, k);
        json_array_add_double_element(shares, share);
        g_string_append_printf(text, "%sprincipal-%d: %.1f %% of the variance", k > 0 ? "\n" : "",
                               k + 1, 100 * share);
    }
    json_object_set_array_member(result, "shares", shares);
    return report_result(d->common.report, result, text->str, error);
}

/* ---- pictures ---- */

static bool draw_one(struct direct *d, const struct svdiff_generate_options *model, guint i,
                     GError **error)
{
    const char *name = d->made->pdata[i];
    g_autofree char *mean = path_of(d, "mean", ".safetensors");
    g_autofree char *own = path_of(d, name, ".safetensors");
    g_autofree char *to = path_of(d, name, ".png");
    // the mean itself and random ones are around the model
    const bool around = g_str_has_prefix(name, "principal");
    const struct svdiff_scaled_subject both[] = {{.file = mean, .scale = 1},
                                                 {.file = own, .scale = 1}};
    struct svdiff_generate_options o = *model;
    struct strip strip = d->values;

    o.subjects = around ? both : both + 1;
    o.n_subjects = around ? 2 : 1;
    // the words are the mean's, whatever is drawn with them
    g_autofree char *prompt = svdiff_subject_prompt(d->prompt, both, 1, error);
    o.prompt = prompt;
    // borrowed: the copy is not cleared
    strip.name = (char *)(around ? "scale2" : "scale");
    strip.label = name;
    g_autoptr(picture) sheet = prompt != NULL && strip_check(&strip, &o, 8, error)
                                   ? strip_sheet(d->session, &strip, &o, command_progress, d, error)
                                   : NULL;
    if (sheet == NULL || !session_hashes(d->session, MODEL_HASH_BASE, NULL, NULL, error)) {
        return false;
    }
    const picture one = {.width = o.width, .height = o.height};
    g_autofree char *made = made_text(&o, d->session, o.seed, &one);
    g_autofree char *valid = g_utf8_make_valid(made, -1);
    const struct picture_text texts[] = {{PICTURE_SETTINGS_KEY, valid}};
    if (!picture_write(to, sheet, texts, G_N_ELEMENTS(texts), error)) {
        return false;
    }
    command_wrote(&d->common, to);
    return true;
}

static bool draw_all(struct direct *d, GError **error)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(d->session);
    bool done = true;

    o.seed = d->seed;
    o.steps = d->steps > 0 ? d->steps : o.steps;
    for (guint i = 0; i < d->made->len && done; i++) {
        done = draw_one(d, &o, i, error);
    }
    return done;
}

static void begin(void *command)
{
    struct direct *d = command;

    d->paths = g_ptr_array_new_with_free_func(g_free);
    d->made = g_ptr_array_new_with_free_func(g_free);
    d->subjects = g_ptr_array_new_with_free_func((GDestroyNotify)subject_free);
}

static bool run(void *command, char *const *words, GError **error)
{
    struct direct *d = command;

    if (!check_usage(d, words, error) || !open_subjects(d, words, error)) {
        return false;
    }
    name_all(d);
    if (!given_has(&d->common.given, "seed")) {
        d->seed = d->common.seed;
        report_note(d->common.report, "seed %" G_GUINT64_FORMAT, d->seed);
    }
    if (d->prompt != NULL) {
        d->session = kept_model_open(d->common.caller->kept, &d->common.session, error);
        if (d->session == NULL) {
            return false;
        }
    }
    return check_overwrites(d, error) && write_all(d, error) &&
           (d->session == NULL || draw_all(d, error)) && tell(d, error);
}

static void finish(void *command)
{
    struct direct *d = command;

    kept_model_close(d->common.caller->kept, d->session);
    strip_clear(&d->values);
    directions_free(d->found);
    g_ptr_array_unref(d->paths);
    g_ptr_array_unref(d->made);
    g_ptr_array_unref(d->subjects);
}

const struct command_kind command_directions = {
    .word = "directions",
    .purpose = "in which directions subjects differ",
    .summary =
        "Finds the directions in which subjects of one model differ most, and random ones of the "
        "same\nlength, and writes each as a subject: mean, principal-1 ..., random-1 ...; with "
        "--prompt also\nas a strip of pictures over its strength.",
    .usage = "SUBJECT SUBJECT...",
    .size = sizeof(struct direct),
    .table = &table,
    .opening = COMMAND_RUNS,
    .begin = begin,
    .run = run,
    .finish = finish};
