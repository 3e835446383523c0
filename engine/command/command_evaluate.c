/* svdiff evaluate: how well pictures show a subject and follow their texts. */
#include "engine/command/command.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/command/evaluate_prompts.h"
#include "engine/command/evaluate_set.h"
#include "engine/command/kept_model.h"
#include "engine/evaluate/evaluation.h"
#include "engine/options/option_rows.h"
#include "engine/picture/picture_folder.h"
#include "engine/plot/plot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

struct evaluate {
    struct command common;
    const char *clip, *class, *output, *csv, *plot, *along;
    int count, steps;
    double guidance;
    uint64_t seed;

    GPtrArray *prompts;    // char *, as given
    GPtrArray *references; // char *: files
    GArray *sets;          // struct evaluate_set: subjects, then folders
    int n_subjects;
    svdiff *session; // NULL: neither drawn with nor compared with
    struct judge *judge;
    struct evaluation result;
    char *folder; // of the pictures of the subject at hand; NULL: they are not kept
    int drawn;    // pictures of it so far
};

#define FIELD(field) offsetof(struct evaluate, field)

static const struct option rows[] = {
    OTHER(
        OPTION_FILES, "subject", APART, NULL, "FILE[:PART][:SCALE][=NAME]",
        "a subject that is drawn and judged (repeat: each for itself, those of one name together)"),
    OTHER(OPTION_FILES, "pictures", APART, NULL, "FOLDER[=NAME]",
          "pictures that are judged, whoever drew them: in the order of their names the same "
          "number of each prompt (repeat: each for itself, those of one name together)"),
    OTHER(OPTION_FILES, "prompts", APART, NULL, "FILE|TEXT",
          "a prompt, or a file with one a line, in which [V] is the subject (repeat)"),
    OTHER(OPTION_FILES, "references", APART, NULL, "FILE|FOLDER",
          "pictures of the subject itself (repeat)"),
    OTHER(
        OPTION_FILE, "clip-model", FIELD(clip), NULL, "FOLDER",
        "a CLIP model as transformers keeps it, which compares (none: the model's own autoencoder, "
        "colours alone)"),
    OTHER(
        OPTION_TEXT, "class", FIELD(class), NULL, "TEXT",
        "what the subject is, 'fox': stands for [V] where pictures are compared with a text (what "
        "the subject says)"),
    INT("count", FIELD(count), 4, 1, 10000, 0, "N",
        "pictures that are drawn of each prompt ({default})"),
    INT("steps", FIELD(steps), 0, 0, 1e6, 0, "N", "sampling steps (0: the model's own)"),
    NUMBER("guidance", FIELD(guidance), 0, 0, 1000, 0, "X",
           "how strongly the prompt guides (0: the model's own)"),
    OTHER(OPTION_SEED, "seed", FIELD(seed), "0", "N",
          "of the first picture of each prompt; the next ones count on ({default})"),
    OTHER(OPTION_FILE, "output", FIELD(output), NULL, "FOLDER",
          "where drawn pictures are kept, a folder a subject (nowhere)"),
    OTHER(OPTION_FILE, "csv", FIELD(csv), NULL, "FILE", "the table as comma-separated values, too"),
    OTHER(OPTION_FILE, "plot", FIELD(plot), NULL, "FILE",
          "the table as a figure with its intervals (.png or .svg)"),
    OTHER(
        OPTION_TEXT, "along", FIELD(along), NULL, "TEXT",
        "what the figure is along, a line a name: 'scale', a subject's strength; 'steps', those it "
        "learned; for anything else, and for folders, each says its place with =NAME@NUMBER"),
};
static const struct option_table table = {"evaluate", sizeof(struct evaluate), rows,
                                          G_N_ELEMENTS(rows)};

static char *const *list_of(const struct evaluate *e, const char *option)
{
    return given_list(&e->common.given, option);
}

/* ---- before anything is drawn ---- */

static bool add_references(struct evaluate *e, const char *entry, GError **error)
{
    int others;

    if (!g_file_test(entry, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(e->references, g_strdup(entry));
        return true;
    }
    g_auto(GStrv) files = picture_folder_list(entry, &others, error);
    for (char **file = files; file != NULL && *file != NULL; file++) {
        g_ptr_array_add(e->references, g_strdup(*file));
    }
    return files != NULL;
}

/* The pictures of a folder, the first of so many of the first prompt, and so on. g_strfreev it; NULL with
 * an error. */
static char **list_pictures(const struct evaluate *e, const char *folder, GError **error)
{
    int others;
    g_auto(GStrv) files = picture_folder_list(folder, &others, error);
    const guint n = files != NULL ? g_strv_length(files) : 0;

    if (n % e->prompts->len == 0) {
        return g_steal_pointer(&files);
    }
    error_failed(error,
                 "%s: %u pictures are not the same number of each of %u prompts; give the prompts "
                 "that they were drawn of.",
                 folder, n, e->prompts->len);
    return NULL;
}

static const struct evaluate_set *set_at(const struct evaluate *e, guint i)
{
    return &g_array_index(e->sets, struct evaluate_set, i);
}

static bool take_sets(struct evaluate *e, const char *option, GError **error)
{
    const bool subject = strcmp(option, "subject") == 0;
    bool good = true;

    for (char *const *word = list_of(e, option); word != NULL && *word != NULL && good; word++) {
        struct evaluate_set set;
        good = evaluate_set_read(*word, subject, e->along, &set, error);
        g_array_append_val(e->sets, set);
        e->n_subjects += subject;
    }
    return good;
}

static bool check_folders(const struct evaluate *e, GError **error)
{
    bool good = true;

    for (guint i = (guint)e->n_subjects; i < e->sets->len && good; i++) {
        g_auto(GStrv) files = list_pictures(e, set_at(e, i)->word, error);
        good = files != NULL;
    }
    return good;
}

static bool check_files(const struct evaluate *e, GError **error)
{
    return (e->plot == NULL || plot_check_name(e->plot, error)) && output_check(e->plot, error) &&
           output_check(e->csv, error);
}

static bool check_usage(struct evaluate *e, GError **error)
{
    char *const *references = list_of(e, "references");

    if (list_of(e, "subject") == NULL && list_of(e, "pictures") == NULL) {
        return error_usage(error, "Say what is judged: a subject to draw, --subject FILE, or "
                                  "pictures, --pictures FOLDER.");
    }
    if (references == NULL) {
        return error_usage(error, "Say with which pictures of the subject the others are compared: "
                                  "--references FILE or FOLDER.");
    }
    e->prompts = evaluate_prompts_read(list_of(e, "prompts"), error);
    if (e->prompts == NULL) {
        return false;
    }
    e->references = g_ptr_array_new_with_free_func(g_free);
    for (; *references != NULL; references++) {
        if (!add_references(e, *references, error)) {
            return false;
        }
    }
    return take_sets(e, "subject", error) && take_sets(e, "pictures", error) &&
           check_folders(e, error) && check_files(e, error);
}

// each prompt as it is compared, told before the work; file NULL: of pictures
static bool check_prompts(const struct evaluate *e, const struct svdiff_scaled_subject *subject,
                          GError **error)
{
    g_auto(GStrv) classes =
        evaluate_classes(subject != NULL ? subject->file : NULL, e->class, error);
    bool good = classes != NULL;

    for (guint i = 0; i < e->prompts->len && good; i++) {
        g_autofree char *plain = evaluate_prompt_plain(e->prompts->pdata[i], classes, error);
        g_autofree char *drawn = plain != NULL && subject != NULL
                                     ? evaluate_prompt_drawn(e->prompts->pdata[i], subject, error)
                                     : NULL;
        good = plain != NULL && (subject == NULL || drawn != NULL);
    }
    return good;
}

// where picture k of a subject is kept; owned by the caller
static char *kept_file(const char *folder, int k)
{
    g_autofree char *name = g_strdup_printf("%04d.png", k + 1);

    return g_build_filename(folder, name, NULL);
}

static char *kept_folder(const struct evaluate *e, guint subject)
{
    g_autofree char *name = g_path_get_basename(set_at(e, subject)->word);

    return e->output != NULL ? g_build_filename(e->output, name, NULL) : NULL;
}

// nothing that is read is overwritten, and no drawn picture by another
static bool check_overwrites(const struct evaluate *e, GError **error)
{
    g_autoptr(output_guard) guard = command_guard(e->session);
    bool good = true;

    for (guint i = 0; i < e->references->len; i++) {
        output_guard_reads(guard, e->references->pdata[i]);
    }
    for (guint i = 0; i < e->sets->len; i++) {
        const struct evaluate_set *set = set_at(e, i);
        if (set->subject.file != NULL) {
            command_guard_subject(guard, set->subject.file);
        } else {
            output_guard_reads(guard, set->word);
        }
    }
    evaluate_prompts_guard(list_of(e, "prompts"), guard);
    output_guard_reads(guard, e->clip);
    for (guint i = 0; i < (guint)e->n_subjects && e->output != NULL && good; i++) {
        g_autofree char *folder = kept_folder(e, i);
        for (int k = 0; k < e->count * (int)e->prompts->len && good; k++) {
            g_autofree char *file = kept_file(folder, k);
            good = output_guard_writes(guard, "--output", file, error);
        }
    }
    return good && output_guard_writes(guard, "--csv", e->csv, error) &&
           output_guard_writes(guard, "--plot", e->plot, error);
}

/* ---- pictures ---- */

static bool tell_progress(struct evaluate *e, int done, int all, GError **error)
{
    const struct progress p = {
        .phase = "judge", .step = done, .steps = all, .loss = -1, .seconds_left = -1};

    if (command_progress(e, &p)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled; nothing was told.");
    return false;
}

static bool read_references(struct evaluate *e, GError **error)
{
    const int n = (int)e->references->len;
    bool good = true;

    for (int i = 0; i < n && good; i++) {
        g_autoptr(picture) p = picture_read(e->references->pdata[i], 1, error);
        good = p != NULL && evaluation_reference(&e->result, p, error) &&
               tell_progress(e, i + 1, n, error);
    }
    return good;
}

// the text that the pictures of prompt i are compared with
static bool begin_prompt(struct evaluate *e, guint i, char *const *classes, GError **error)
{
    g_autofree char *plain = evaluate_prompt_plain(e->prompts->pdata[i], classes, error);

    return plain != NULL && evaluation_text(&e->result, plain, error);
}

static bool take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct evaluate *e = user;
    g_autofree char *name = g_strdup_printf("seed %" G_GUINT64_FORMAT, seed);

    if (e->folder != NULL) {
        g_autofree char *file = kept_file(e->folder, e->drawn);
        if (!picture_write(file, p, NULL, 0, error)) {
            return false;
        }
        command_wrote(&e->common, file);
    }
    e->drawn++;
    return evaluation_picture(&e->result, p, name, error);
}

static bool draw_prompt(struct evaluate *e, const struct svdiff_scaled_subject *subject,
                        const char *prompt, GError **error)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(e->session);
    g_autofree char *drawn = evaluate_prompt_drawn(prompt, subject, error);

    if (drawn == NULL) {
        return false;
    }
    o.prompt = drawn;
    o.subjects = subject;
    o.n_subjects = 1;
    o.count = e->count;
    o.seed = e->seed;
    o.steps = e->steps > 0 ? e->steps : o.steps;
    o.guidance = e->guidance > 0 ? e->guidance : o.guidance;
    return svdiff_generate(e->session, &o, take, command_progress, e, error);
}

static bool judge_subject(struct evaluate *e, guint number, GError **error)
{
    const struct evaluate_set *set = set_at(e, number);
    const struct svdiff_scaled_subject *subject = &set->subject;
    g_auto(GStrv) classes = evaluate_classes(subject->file, e->class, error);
    g_autofree char *folder = kept_folder(e, number);
    bool good = classes != NULL;

    if (folder != NULL && g_mkdir_with_parents(folder, 0777) != 0) {
        return error_failed(error, "%s: cannot be made a folder: %s.", folder, g_strerror(errno));
    }
    e->folder = folder;
    e->drawn = 0;
    evaluation_begin(&e->result, set->name, set->named, set->place);
    for (guint i = 0; i < e->prompts->len && good; i++) {
        good = begin_prompt(e, i, classes, error) &&
               draw_prompt(e, subject, e->prompts->pdata[i], error);
    }
    evaluation_end(&e->result);
    e->folder = NULL;
    return good;
}

static bool judge_file(struct evaluate *e, const char *path, GError **error)
{
    g_autoptr(picture) p = picture_read(path, 1, error);
    g_autofree char *base = g_path_get_basename(path), *name = g_utf8_make_valid(base, -1);

    return p != NULL && evaluation_picture(&e->result, p, name, error);
}

static bool judge_folder(struct evaluate *e, const struct evaluate_set *set, GError **error)
{
    g_auto(GStrv) files = list_pictures(e, set->word, error);
    g_auto(GStrv) classes = evaluate_classes(NULL, e->class, error);
    const guint n = files != NULL ? g_strv_length(files) : 0, each = n / e->prompts->len;
    bool good = files != NULL;

    evaluation_begin(&e->result, set->name, set->named, set->place);
    for (guint i = 0; i < n && good; i++) {
        good = (i % each != 0 || begin_prompt(e, i / each, classes, error)) &&
               judge_file(e, files[i], error) && tell_progress(e, (int)i + 1, (int)n, error);
    }
    evaluation_end(&e->result);
    return good;
}

/* ---- a run ---- */

static bool open_models(struct evaluate *e, GError **error)
{
    // pictures that are there need nothing but what compares them
    if (e->n_subjects > 0 || e->clip == NULL) {
        e->session = kept_model_open(e->common.caller->kept, &e->common.session, error);
        if (e->session == NULL) {
            return false;
        }
    }
    if (e->clip == NULL) {
        report_note(e->common.report,
                    "without --clip-model no text is compared, and of pictures only the colours in "
                    "their middle: of what ships, two pictures of one thing are nearer than two of "
                    "different things 78 times in 100, where chance has 50");
    }
    e->judge = judge_create(&e->common.session, e->clip, e->session, error);
    return e->judge != NULL;
}

static bool judge_all(struct evaluate *e, GError **error)
{
    const guint n_subjects = (guint)e->n_subjects;
    bool good = read_references(e, error);

    for (guint i = 0; i < n_subjects && good; i++) {
        // networks that are ready are the next prompt's, too; weights with a subject in them are not
        const bool kept = session_keep_begin(e->session, true);
        good = judge_subject(e, i, error);
        session_keep_end(e->session, kept);
    }
    for (guint i = n_subjects; i < e->sets->len && good; i++) {
        good = judge_folder(e, set_at(e, i), error);
    }
    return good;
}

// files beside the table or the object that is told
static bool write_files(struct evaluate *e, GError **error)
{
    const struct alignment *found = &e->result.found;
    g_autofree char *csv = alignment_csv(found);

    if ((e->csv != NULL && !atomic_file_store(e->csv, csv, strlen(csv), error)) ||
        (e->plot != NULL && !alignment_plot(found, e->plot, error))) {
        return false;
    }
    if (e->csv != NULL) {
        command_wrote(&e->common, e->csv);
    }
    if (e->plot != NULL) {
        command_wrote(&e->common, e->plot);
    }
    return true;
}

static bool tell(struct evaluate *e, GError **error)
{
    const struct alignment *found = &e->result.found;
    g_autoptr(JsonObject) result = alignment_json(found);
    g_autofree char *text = alignment_text(found);

    json_object_set_string_member(result, "measure", e->clip != NULL ? "clip" : "autoencoder");
    return write_files(e, error) && report_result(e->common.report, result, text, error);
}

static void clear_set(void *set)
{
    evaluate_set_clear(set);
}

static void begin(void *command)
{
    struct evaluate *e = command;

    e->sets = g_array_new(FALSE, TRUE, sizeof(struct evaluate_set));
    g_array_set_clear_func(e->sets, clear_set);
}

static bool run(void *command, char *const *words, GError **error)
{
    struct evaluate *e = command;
    bool good = check_usage(e, error);

    for (guint i = 0; i < (guint)e->n_subjects && good; i++) {
        good = check_prompts(e, &set_at(e, i)->subject, error);
    }
    if (!good || (list_of(e, "pictures") != NULL && !check_prompts(e, NULL, error)) ||
        !open_models(e, error) || !check_overwrites(e, error)) {
        return false;
    }
    e->common.wanted = e->output != NULL ? e->n_subjects * e->count * (int)e->prompts->len : 0;
    evaluation_init(&e->result, e->judge);
    e->result.found.along = e->along;
    return judge_all(e, error) && tell(e, error);
}

static void finish(void *command)
{
    struct evaluate *e = command;

    evaluation_clear(&e->result);
    judge_free(e->judge);
    kept_model_close(e->common.caller->kept, e->session);
    g_array_unref(e->sets);
    g_clear_pointer(&e->prompts, g_ptr_array_unref);
    g_clear_pointer(&e->references, g_ptr_array_unref);
}

const struct command_kind command_evaluate = {
    .word = "evaluate",
    .purpose = "how well pictures show a subject and follow their texts",
    .summary =
        "Judges pictures: text alignment is how well they follow their prompts, image alignment "
        "how\nmuch they look like the references, each as a mean over the pictures with its 95 % "
        "interval\n(Student's t).\n\n"
        "With --clip-model they are CLIP-T and CLIP-I: cosines of what CLIP makes of a picture and "
        "of\nits prompt, with the class in the place of [V], and of a picture and each reference. "
        "Without\nit there is no text alignment, and the image alignment is about colours alone: "
        "the cosine of\nmeans and deviations of the autoencoder's latents in the middle of the "
        "pictures.\n\n"
        "  svdiff evaluate --subject fox --prompts 'a [V] fox in the snow' --references fox/ "
        "--clip-model FOLDER\n"
        "  svdiff evaluate --pictures drawn/ --prompts prompts.txt --class fox --references fox/ "
        "--csv table.csv\n\n"
        "With =NAME behind them sets of one name are one point, as all subjects of a method; "
        "--plot "
        "draws\nthem, image above text alignment, or --along something a line a name:\n\n"
        "  svdiff evaluate --pictures fox/=svdiff --pictures owl/=svdiff --pictures fox-lora/=lora "
        "..\n"
        "  svdiff evaluate --subject fox:0.5 --subject fox --subject fox:1.5 --along scale --plot "
        "scale.svg ..",
    .size = sizeof(struct evaluate),
    .table = &table,
    .opening = COMMAND_RUNS,
    .begin = begin,
    .run = run,
    .finish = finish};
