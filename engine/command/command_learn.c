/* svdiff learn: pictures to a subject file. */
#include "engine/command/adapter_option.h"
#include "engine/command/command.h"
#include "engine/command/learn_subjects.h"

#include "engine/base/error.h"
#include "engine/group/group.h"
#include "engine/learn/learn_check.h"
#include "engine/learn/learn_files.h"
#include "engine/base/output_name.h"
#include "engine/picture/layout.h"
#include "engine/session/effort.h"
#include "engine/subject/shift_set.h"
#include "engine/subject/subject_lookup.h"
#include "engine/text/prompt.h"

#include <string.h>

struct learn {
    struct command common;
    struct svdiff_learn_options options;
    struct learn_subjects subjects;
    struct adapter_options adapters;
    const char *squares;     // NULL: not asked for
    bool estimate, own_seed; // own: neither asked for nor a checkpoint's
};

static const char summary[] =
    "Learns one or several subjects into one subject file. Each --prompt starts a subject; the\n"
    "--class-prompt, --image, --mask and --caption (of the image before) and --region belong to\n"
    "it. [V] in a prompt is replaced by a rare word of the model, which the file remembers:\n\n"
    "  svdiff learn --prompt 'a photo of a [V] dog' --image a.png --image b.png --output "
    "dog.safetensors\n\n"
    "What --method full learned opens as --lora, or becomes a model that diffusers opens:\n"
    "svdiff convert --lora FILE --to folder --output FOLDER.";

/* ---- the other options ---- */

/* Where none is asked for: seed, precision and effort of the run that may go on, or a random one,
 * auto and normal. With others than the checkpoint's --resume would be another run. */
static enum svdiff_effort find_kept(struct learn *l, uint64_t *seed)
{
    const struct given *g = &l->common.given;
    const char *output = given_text(g, "output");
    enum svdiff_precision precision;
    enum svdiff_effort effort;

    *seed = l->common.seed;
    const bool kept = (given_number(g, "resume") > 0 || given_number(g, "continue") > 0) &&
                      output != NULL && svdiff_learn_kept(output, seed, &precision, &effort);
    l->own_seed = !kept && !given_has(g, "seed");
    if (kept && l->common.session.precision == SVDIFF_PRECISION_AUTO) {
        l->common.session.precision = precision;
    }
    return kept && !given_has(g, "effort") ? effort : (enum svdiff_effort)given_number(g, "effort");
}

static JsonObject *apart_as_json(const struct svdiff_subject *subjects,
                                 const struct svdiff_apart *a)
{
    JsonObject *all = json_object_new();
    JsonArray *list = json_array_new();

    json_object_set_string_member(all, "event", "apart");
    json_object_set_int_member(all, "pictures", a->pictures);
    json_object_set_array_member(all, "subjects", list);
    for (int i = 0; i < a->n_subjects; i++) {
        // shares of attention, 0..1
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

// how well several subjects stay apart: a line for people, an object for programs
static void tell_apart(void *user, const struct svdiff_apart *a)
{
    const struct learn *l = user;
    const struct svdiff_subject *subjects = l->options.subjects;
    g_autoptr(JsonObject) result = apart_as_json(subjects, a);
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
    report_result(l->common.report, result, text->str, NULL);
}

// where nothing else is asked for: the model's defaults, or with s NULL Stable Diffusion's
static void begin_options(struct learn *l, const svdiff *s, const struct svdiff_subject *subjects,
                          enum svdiff_method method, enum svdiff_effort effort)
{
    struct svdiff_learn_options *o = &l->options;
    const int n = (int)l->subjects.all->len;

    *o = svdiff_learn_method(s, method, effort);
    // what no table has: subjects, and who is told at the end
    o->subjects = subjects;
    o->n_subjects = n;
    o->apart = tell_apart;
    o->adapters = adapter_options_list(&l->adapters);
    o->n_adapters = adapter_options_count(&l->adapters);
    // asked for, it is as many as asked for, whatever the number of subjects
    o->steps = svdiff_learn_steps(o->steps, n);
}

// the options of an effort on top of these
static bool make_options_of(struct learn *l, const svdiff *s, const struct svdiff_subject *subjects,
                            enum svdiff_effort effort, GError **error)
{
    const struct given *given = &l->common.given;

    begin_options(l, s, subjects, (enum svdiff_method)given_number(given, "method"), effort);
    if (!given_apply(given, &l->options, error)) {
        return false;
    }
    // asked for, or a checkpoint's
    l->options.effort = effort;
    return true;
}

static bool make_options(struct learn *l, const svdiff *s, const struct svdiff_subject *subjects,
                         GError **error)
{
    uint64_t seed;
    const enum svdiff_effort effort = find_kept(l, &seed);

    if (!make_options_of(l, s, subjects, effort, error)) {
        return false;
    }
    if (!given_has(&l->common.given, "seed")) {
        l->options.seed = seed;
    }
    return true;
}

/* Of the command line alone, where a rate is there only when it was asked for: then something has
 * to learn. One that a model proposes just skips prompts without [V]. */
static bool check_placeholders(const struct learn *l, GError **error)
{
    const struct svdiff_learn_options *o = &l->options;

    for (int i = 0; i < o->n_subjects && o->placeholder_rate > 0; i++) {
        if (!prompt_has_placeholder(o->subjects[i].prompt)) {
            return error_usage(
                error,
                "--placeholder-rate is for the word that stands for [V], which the "
                "--prompt '%s' does not have; write [V] in it, or leave the option out.",
                o->subjects[i].prompt);
        }
    }
    return true;
}

static bool check_squares(const struct learn *l, GError **error)
{
    // squares are read for estimates alone; learning itself shows samples
    if (l->squares != NULL && !l->estimate) {
        return error_usage(error, "--squares %s belongs to --estimate; give both, or leave it out.",
                           l->squares);
    }
    return l->squares == NULL || picture_check_name(l->squares, error);
}

// the time of each effort, with all else that is given as it is
static bool compare_efforts(struct learn *l, svdiff *s, const struct svdiff_estimate *e,
                            struct command_efforts *efforts, GError **error)
{
    const struct svdiff_learn_options chosen = l->options;
    bool done = true;

    efforts->chosen = chosen.effort;
    for (int i = 0; i < SVDIFF_EFFORTS && done; i++) {
        const enum svdiff_effort effort = (enum svdiff_effort)(SVDIFF_EFFORT_QUICK + i);
        done = make_options_of(l, s, chosen.subjects, effort, error) &&
               svdiff_estimate_like(s, &l->options, e, &efforts->seconds[i], error);
    }
    l->options = chosen;
    return done;
}

// the file of each method, with all else that is given and that it has a use for
static bool compare_methods(struct learn *l, svdiff *s, struct command_efforts *efforts,
                            GError **error)
{
    const struct svdiff_learn_options chosen = l->options;
    GError *problem = NULL;

    efforts->method = chosen.method;
    for (int i = 0; i < SVDIFF_METHODS && problem == NULL; i++) {
        begin_options(l, s, chosen.subjects, (enum svdiff_method)i, chosen.effort);
        efforts->files[i] = 0;
        if (given_apply_useful(&l->common.given, &l->options, &problem)) {
            svdiff_estimate_file(s, &l->options, &efforts->files[i], &problem);
        }
        // prompts without [V], say, which the method that was asked for has no use for
        if (i != (int)chosen.method && g_error_matches(problem, SVDIFF_ERROR, SVDIFF_ERROR_USAGE)) {
            g_clear_error(&problem);
        }
    }
    l->options = chosen;
    if (problem != NULL) {
        g_propagate_error(error, problem);
    }
    return problem == NULL;
}

static bool estimate(struct learn *l, svdiff *s, GError **error)
{
    struct svdiff_estimate e = {0};
    struct command_efforts efforts;
    g_autofree char *text = effort_text(&l->options);

    // what stands where nothing is given, for who shows it
    efforts.text = text;
    efforts.defaults = svdiff_learn_method(s, l->options.method, l->options.effort);
    efforts.defaults.steps = svdiff_learn_steps(efforts.defaults.steps, l->options.n_subjects);
    // the squares are written before anything is said of them
    const bool told =
        svdiff_estimate_learn(s, &l->options, &e, error) &&
        (l->squares == NULL || picture_write(l->squares, e.squares, NULL, 0, error)) &&
        compare_efforts(l, s, &e, &efforts, error) && compare_methods(l, s, &efforts, error) &&
        command_tell_estimate(&l->common, &e, &efforts, error);

    svdiff_estimate_clear(&e);
    return told;
}

// nothing that is read is overwritten
static bool check_overwrites(const struct learn *l, const svdiff *s, GError **error)
{
    const struct svdiff_learn_options *o = &l->options;
    g_autoptr(output_guard) guard = command_guard(s);
    // losses, checkpoint and samples have names made of the output's
    g_auto(GStrv) beside = learn_files(o);

    for (int i = 0; i < o->n_subjects; i++) {
        output_guard_reads(guard, o->subjects[i].region);
        for (int k = 0; o->subjects[i].images[k] != NULL; k++) {
            output_guard_reads(guard, o->subjects[i].images[k]);
            // NULL is no mask, and no file
            output_guard_reads(guard, o->subjects[i].masks[k]);
        }
    }
    adapter_options_guard(&l->adapters, guard);
    bool good = output_guard_writes(guard, "--output", o->output, error) &&
                output_guard_writes(guard, "--plot", o->plot, error) &&
                output_guard_writes(guard, "--trace", o->trace, error);
    for (int i = 0; beside[i] != NULL && good; i++) {
        good = output_guard_writes(guard, "--output", beside[i], error);
    }
    return good;
}

// the sample prompt with the [V]s that will be replaced
static char *known_placeholders(const struct learn *l)
{
    const struct svdiff_learn_options *o = &l->options;
    // "" or NULL: whether the number has a word is all that counts here
    g_autofree const char **words = g_new0(const char *, o->n_subjects + 1);

    for (int i = 0; i < o->n_subjects; i++) {
        words[i] = prompt_has_placeholder(o->subjects[i].prompt) ? "" : NULL;
    }
    return prompt_replace(o->sample_prompt, words, o->n_subjects);
}

// parts of the texts that look like more than words
static void tell_prompts(struct learn *l)
{
    const struct svdiff_learn_options *o = &l->options;

    for (int i = 0; i < o->n_subjects; i++) {
        command_tell_prompt(&l->common, "prompt", o->subjects[i].prompt, NULL, true);
        if (o->subjects[i].class_prompt != NULL) {
            command_tell_prompt(&l->common, "class prompt", o->subjects[i].class_prompt,
                                "the class has no word of its own", true);
        }
        for (int k = 0; o->subjects[i].images[k] != NULL; k++) {
            if (o->subjects[i].captions[k] != NULL) {
                command_tell_prompt(&l->common, "caption", o->subjects[i].captions[k], NULL, true);
            }
        }
    }
    if (o->sample_prompt != NULL) {
        g_autofree char *left = known_placeholders(l);
        command_tell_prompt(&l->common, "sample prompt", left, "no --prompt has this one", true);
    }
}

// what is wrong on the command line alone, then what would fail after long work
static bool check_usage(struct learn *l, const struct svdiff_subject *subjects, GError **error)
{
    return make_options(l, NULL, subjects, error) && learn_check(&l->options, 1, error) &&
           check_placeholders(l, error) && check_squares(l, error) &&
           subject_check_output("--output", l->options.output, error) &&
           output_check(l->options.output, error) && output_check(l->options.plot, error) &&
           output_check(l->options.trace, error);
}

static void tell_effort(struct learn *l)
{
    const struct option *o = option_find(&options_of_learn, "effort");
    g_autofree char *text = effort_text(&l->options);

    report_note(l->common.report, "effort %s: %s", option_word(o, l->options.effort), text);
}

static bool learn(struct learn *l, svdiff *s, GError **error)
{
    GError *problem = NULL;
    g_autoptr(svdiff_group) group = svdiff_group_join(&problem);

    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    l->options.group = group;
    tell_effort(l);
    command_tell_device(&l->common, s);
    if (l->own_seed) {
        report_note(l->common.report, "seed %" G_GUINT64_FORMAT, l->options.seed);
    }
    const bool done = svdiff_learn(s, &l->options, command_progress, l, error);
    l->common.told = group != NULL && group->told;
    if (done && l->common.rank == 0) {
        command_wrote(&l->common, l->options.output);
        if (l->options.plot != NULL) {
            command_wrote(&l->common, l->options.plot);
        }
    }
    return done;
}

static bool run(void *command, char *const *words, GError **error)
{
    struct learn *l = command;

    // exit 1 where a file is missing, after what the command line alone can tell
    if (given_number(&l->common.given, "caption-files") > 0 &&
        !learn_subjects_read_captions(&l->subjects, error)) {
        return false;
    }
    // borrows its strings from what the options left
    g_autofree struct svdiff_subject *subjects = learn_subjects_take(&l->subjects);

    l->adapters = adapter_options_take(&l->common.given, false);
    l->squares = given_text(&l->common.given, "squares");
    l->estimate = given_number(&l->common.given, "estimate") > 0;
    if (!check_usage(l, subjects, error)) {
        return false;
    }
    g_autoptr(svdiff) s = svdiff_open(&l->common.session, error);
    if (s == NULL || !make_options(l, s, subjects, error) || !check_overwrites(l, s, error)) {
        return false;
    }
    tell_prompts(l);
    // what folders of pictures held, once it is known that the run begins
    for (guint i = 0; i < l->subjects.notes->len; i++) {
        report_note(l->common.report, "%s", (char *)l->subjects.notes->pdata[i]);
    }
    if (l->estimate) {
        return l->common.rank > 0 || estimate(l, s, error);
    }
    return learn(l, s, error);
}

static void begin(void *command)
{
    ((struct learn *)command)->subjects = learn_subjects_create();
}

static void finish(void *command)
{
    struct learn *l = command;

    learn_subjects_finish(&l->subjects);
    adapter_options_finish(&l->adapters);
}

static gboolean on_subject(const char *option, const char *value, void *command, GError **error)
{
    return learn_subjects_option(&((struct learn *)command)->subjects, option, value, error);
}

#define OF_SUBJECT G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, (gpointer)on_subject

// of a subject, in their order
static const GOptionEntry subject_entries[] = {
    {"prompt", 0, OF_SUBJECT, "what the pictures show; begins a subject", "TEXT"},
    {"class-prompt", 0, OF_SUBJECT, "the same without [V] (made from the prompt)", "TEXT"},
    {"image", 0, OF_SUBJECT, "pictures of the subject, or a folder of them (repeat)", "FILE..."},
    {"image+", 0, G_OPTION_FLAG_HIDDEN | OF_SUBJECT, NULL, NULL},
    {"mask", 0, OF_SUBJECT, "of the image before it: the subject is white; of several a folder",
     "FILE"},
    {"caption", 0, OF_SUBJECT, "what the image before it shows besides, behind the prompt", "TEXT"},
    {"region", 0, OF_SUBJECT, "where the subject goes beside another: white (any half)", "FILE"},
    G_OPTION_ENTRY_NULL};

const struct command_kind command_learn = {.word = "learn",
                                           .purpose =
                                               "learn subjects from pictures into a subject file",
                                           .summary = summary,
                                           .size = sizeof(struct learn),
                                           .table = &options_of_learn,
                                           .job = true,
                                           .shares = true,
                                           .spreads = true,
                                           .opening = COMMAND_RUNS,
                                           .own = subject_entries,
                                           .begin = begin,
                                           .run = run,
                                           .finish = finish};
