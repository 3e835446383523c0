/* svdiff generate: a prompt to pictures. */
#include "engine/adapter/adapter_lookup.h"
#include "engine/command/generate_job.h"
#include "engine/command/made_text.h"
#include "engine/command/picture_settings.h"
#include "engine/command/strip_draw.h"

#include "engine/base/error.h"
#include "engine/generate/generate_check.h"
#include "engine/generate/strip_column.h"
#include "engine/picture/mask.h"
#include "engine/subject/subject_list.h"
#include "engine/subject/subject_words.h"

#include <string.h>

/* ---- options ---- */

static const struct given *given(const struct generate *g)
{
    return generate_given(g);
}

static const char *text(const struct generate *g, const char *option)
{
    return generate_text(g, option);
}

// whether a part of a picture is painted
static bool is_painting(const struct generate *g)
{
    return text(g, "mask") != NULL || g->options.outpaint;
}

// options that mean nothing alone
static bool check_painting(struct generate *g, GError **error)
{
    // the first of those that are there
    const char *alone = given_has(given(g), "fill")      ? "--fill"
                        : given_has(given(g), "feather") ? "--feather"
                        : g->options.grow != 0           ? "--grow"
                                                         : NULL;

    if (is_painting(g) && text(g, "init-image") == NULL) {
        return error_usage(error,
                           "Say which picture is to be painted into with --init-image FILE.");
    }
    if (alone != NULL && !is_painting(g)) {
        return error_usage(error, "%s goes with a part of a picture; say which with --mask FILE.",
                           alone);
    }
    return text(g, "extend") == NULL ||
           canvas_parse("--extend", text(g, "extend"), &g->margins, error);
}

static bool check_strip(const struct generate *g, GError **error)
{
    return g->strip.n == 0 || strip_draw_check(&g->strip, &g->pictures, &g->options, error);
}

// whether a job can be drawn by a model whose sizes are divisible by `unit`
static bool check_job(struct generate *g, int unit, GError **error)
{
    return generate_check(&g->options, unit, error) && check_strip(g, error);
}

/* Begins each job in turn, does something with it, and ends it. s NULL: before there is a model. What is
 * wrong with one of several is told with its line. */
static bool each_job(struct generate *g, const svdiff *s, bool (*act)(struct generate *, GError **),
                     GError **error)
{
    bool good = true;

    for (guint i = 0; i < g->jobs->len && good; i++) {
        const struct generate_job *job = &g_array_index(g->jobs, struct generate_job, i);
        good = generate_job_begin(g, job, s, error);
        if (good && !act(g, error)) {
            good = false;
            if (job->line != NULL) {
                prompt_line_blame(job->line, text(g, "prompts"), error);
            }
        }
        generate_job_end(g);
    }
    return good;
}

static bool check_typed(struct generate *g, GError **error)
{
    return check_painting(g, error) && check_job(g, 8, error);
}

static bool read_strip(struct generate *g, GError **error)
{
    if (text(g, "trace") != NULL && g->jobs->len > 1) {
        return error_usage(error, "--trace is of one picture; leave --prompts and choices ({a|b}) "
                                  "for several pictures out.");
    }
    if (text(g, "strip") == NULL) {
        return true;
    }
    if (!strip_parse(text(g, "strip"), &g->strip, error)) {
        return false;
    }
    if (g->jobs->len > 1) {
        return error_usage(error, "--strip is of one prompt as it stands; leave --prompts and "
                                  "choices ({a|b}) for several pictures out.");
    }
    // one picture, or one of each value for each of its rows
    g->pictures.common.wanted =
        strip_files(&g->strip, text(g, "output"), g->pictures.common.wanted);
    return true;
}

// what is wrong on the command line alone
static bool check_usage(struct generate *g, GError **error)
{
    return generate_job_list(g, error) && read_strip(g, error) &&
           pictures_check_usage(&g->pictures, error) && each_job(g, NULL, check_typed, error);
}

// a larger picture and the mask of its new parts in place of what was read
static bool extend(struct generate *g, GError **error)
{
    picture *mask =
        canvas_extend_mask(g->init->width, g->init->height, g->mask, &g->margins, error);
    // what is there stays where it is; new parts are clear
    picture *larger = mask != NULL ? canvas_extend(g->init, &g->margins, error) : NULL;

    picture_free(g->mask);
    g->mask = mask;
    if (larger == NULL) {
        return false;
    }
    picture_free(g->init);
    g->init = larger;
    return true;
}

// where the picture may be painted: what the mask says, what is clear, what is beyond its edges
static bool read_mask(struct generate *g, GError **error)
{
    // a mask is of the picture as it was; it grows with it
    const bool beyond = text(g, "extend") != NULL;

    if (text(g, "mask") != NULL) {
        g->mask = mask_read(text(g, "mask"), 1, error);
    } else if (g->options.outpaint && !beyond) {
        g->mask = canvas_clear(g->init, error);
    } else {
        return !beyond || extend(g, error);
    }
    return g->mask != NULL && mask_check(g->init, g->mask, error) && (!beyond || extend(g, error));
}

// what a result will not have of the picture that it begins with; painting: into it
static void tell_init(struct command *c, const char *file, const picture *p, const char *output,
                      bool painting)
{
    // what was lost in reading comes first, then what will be in writing
    if (picture_warning(p) != NULL) {
        report_warning(c->report, "%s", picture_warning(p));
    }
    if (picture_was_cmyk(p)) {
        report_warning(c->report, "%s is a CMYK picture; what is made of it is RGB, in sRGB.",
                       file);
    }
    // what is painted into a picture has its colours (picture_origin.h)
    if (painting && picture_was_grey(p)) {
        report_note(c->report,
                    "%s is grey, and so is what is painted into it; save it as RGB for colours.",
                    file);
    }
    if (painting && picture_name_is_lossy(output)) {
        report_note(c->report,
                    "%s: this format also changes what is not painted a little; .png and .tif "
                    "keep it as it is.",
                    output);
    }
}

// what would fail after long work
static bool check_files(struct generate *g, GError **error)
{
    const char *init = text(g, "init-image");

    if (!pictures_check_files(&g->pictures, error)) {
        return false;
    }
    g->init = init != NULL ? picture_read(init, 8, error) : NULL;
    if (g->init != NULL) {
        tell_init(&g->pictures.common, init, g->init, text(g, "output"), is_painting(g));
    }
    return init == NULL || (g->init != NULL && read_mask(g, error));
}

// nothing that is read is overwritten
static bool check_overwrites(const struct generate *g, GError **error)
{
    g_autoptr(output_guard) guard = command_guard(g->pictures.session);

    // NULL is no file
    output_guard_reads(guard, text(g, "settings"));
    output_guard_reads(guard, text(g, "init-image"));
    output_guard_reads(guard, text(g, "mask"));
    output_guard_reads(guard, text(g, "prompts"));
    for (int i = 0; i < g->n_regions; i++) {
        output_guard_reads(guard, g->regions[i].file);
    }
    for (int i = 0; i < g->n_subjects; i++) {
        command_guard_subject(guard, g->subjects[i].file);
    }
    adapter_options_guard(&g->adapters, guard);
    return pictures_check_overwrites(&g->pictures, guard, g->most_steps, error);
}

/* *text with [V]s of its plain names, where names are wanted, and the subjects' words in their
 * places. */
static void put_words_in(char **text, const struct subject_words *words, bool names)
{
    g_autofree char *marked = names ? subject_words_mark(words, *text) : g_strdup(*text);
    // both in one text: a [V] may have been typed, or stand there now
    char *replaced = subject_words_put(words, marked);

    g_free(*text);
    *text = replaced;
}

/* A negative prompt of the subjects' classes, behind what was given. */
static bool take_unseam(struct generate *g, const struct subject_words *words, GError **error)
{
    // the words of --unseam (options_generate.c)
    enum { NONE, CLASSES, SWAPPED };
    const int unseam = (int)given_number(given(g), "unseam");

    if (unseam == NONE) {
        return true;
    }
    g_autofree char *classes = subject_words_classes(words, unseam == SWAPPED);
    if (classes == NULL) {
        return error_usage(
            error, "--unseam needs two subjects that say their class, and the files of --subject "
                   "have fewer; write a --negative of your own.");
    }
    char *all = g_strjoin(g->negative[0] != '\0' ? ", " : "", g->negative, classes, NULL);
    g_free(g->negative);
    g->negative = all;
    return true;
}

/* Of several files, one that a region names is in that region alone. */
static void take_places(struct generate *g, const struct subject_words *words, bool names)
{
    // one file alone acts everywhere
    for (int i = 0; i < g->n_regions && g->n_subjects > 1; i++) {
        const char *said = g->regions[i].text;
        g_autofree char *marked = names ? subject_words_mark(words, said) : g_strdup(said);
        g->regions[i].subjects |= subject_words_files(words, marked);
    }
}

// parts of the texts, as they are drawn, that look like more than words
static void tell_prompts(struct generate *g)
{
    struct command *c = &g->pictures.common;
    // a [V] that nothing stands for is most often a forgotten --subject
    const char *missing = g->n_subjects == 0 ? "give the subject that it means with --subject"
                                             : "no subject that was given has a word for it";

    command_tell_prompt(c, "prompt", g->prompt, missing, false);
    command_tell_prompt(c, "negative prompt", g->negative, missing, false);
    for (int i = 0; i < g->n_regions; i++) {
        command_tell_prompt(c, "text of a region", g->regions[i].text, missing, false);
    }
}

/* What is said of subjects: [V]s, classes, and which region has which. */
static bool take_subject_words(struct generate *g, GError **error)
{
    const bool names = given_has(given(g), "names");
    struct subject_words words;
    const bool taken = subject_words_open(&words, g->subjects, g->n_subjects, error) &&
                       take_unseam(g, &words, error);

    if (taken) {
        take_places(g, &words, names);
        put_words_in(&g->prompt, &words, names);
        put_words_in(&g->negative, &words, false);
        g->options.prompt = g->prompt;
        g->options.negative = g->negative;
    }
    for (int i = 0; taken && i < g->n_regions; i++) {
        put_words_in((char **)&g->regions[i].text, &words, names);
    }
    subject_words_close(&words);
    return taken;
}

/* ---- pictures ---- */

static char *describe(void *user, const svdiff *s, int index, uint64_t seed, const picture *p)
{
    return made_text(&((const struct generate *)user)->options, s, seed, p);
}

// with the opened model: all of them before the first is drawn; the files are the same for all
static bool check_opened(struct generate *g, GError **error)
{
    const int factor = autoencoder_factor(checkpoint_vae_config(g->pictures.session->checkpoint));

    g->most_steps = MAX(g->most_steps, g->options.steps);
    return check_job(g, MAX(factor, 8), error) && take_subject_words(g, error) &&
           (++g->checked < g->jobs->len || check_overwrites(g, error));
}

static bool draw_job(struct generate *g, GError **error)
{
    struct pictures *p = &g->pictures;

    if (!take_subject_words(g, error)) {
        return false;
    }
    tell_prompts(g);
    const bool drawn = g->strip.n > 0 ? strip_draw(&g->strip, p, &g->options, error)
                                      : svdiff_generate(p->session, &g->options, pictures_take,
                                                        command_progress, g, error);
    // the next job's pictures come behind them
    p->first += g->options.count;
    return drawn;
}

/* Adds an estimate to those of before: the largest of the memory, and all of the time; share: of that, what is
 * drawn. */
static void add_estimate(struct svdiff_estimate *all, struct svdiff_estimate e, double share)
{
    const struct svdiff_estimate before = *all;

    *all = e;
    all->bytes = MAX(e.bytes, before.bytes);
    all->least_bytes = MAX(e.least_bytes, before.least_bytes);
    all->operations = share * e.operations + before.operations;
    all->reading = share * e.reading + before.reading;
    all->seconds = e.seconds < 0 || before.seconds < 0 ? -1 : share * e.seconds + before.seconds;
}

// as if all columns were like this one, so that devices share them, and of that its part
static bool estimate_column(struct generate *g, int i, GError **error)
{
    struct strip_column c;
    struct svdiff_estimate e;
    bool done = strip_column_make(&g->strip, i, &g->options, &c, error);

    if (done) {
        c.options.count *= g->strip.n;
        done = svdiff_estimate_generate(g->pictures.session, &c.options, &e, error);
    }
    if (done) {
        add_estimate(&g->estimate, e, 1.0 / g->strip.n);
    }
    strip_column_clear(&c);
    return done;
}

// of the same options that would be drawn with
static bool estimate_job(struct generate *g, GError **error)
{
    struct svdiff_estimate e;
    bool done = take_subject_words(g, error);

    for (int i = 0; i < g->strip.n && done; i++) {
        done = estimate_column(g, i, error);
    }
    if (!done || g->strip.n > 0) {
        return done;
    }
    if (!svdiff_estimate_generate(g->pictures.session, &g->options, &e, error)) {
        return false;
    }
    add_estimate(&g->estimate, e, 1);
    return true;
}

// s NULL: it could not be opened
static void tell_model(const struct generate *g, const svdiff *s)
{
    g_autofree char *name = s != NULL ? adapter_lookup_name(checkpoint_path(s->checkpoint)) : NULL;

    if (g->model != NULL && name != NULL && strcmp(g->model, name) != 0) {
        report_warning(g->pictures.common.report,
                       "%s was drawn with the model %s, this one is %s; give that with --model.",
                       text(g, "settings"), g->model, name);
    }
}

static bool draw(struct generate *g, GError **error)
{
    // what the command line alone can say first, then files, then the model
    if (!check_usage(g, error) || !check_files(g, error)) {
        return false;
    }
    svdiff *s = pictures_open(&g->pictures, error);
    tell_model(g, s);
    if (s == NULL || !each_job(g, s, check_opened, error)) {
        return false;
    }
    if (given_has(given(g), "estimate")) {
        return each_job(g, s, estimate_job, error) &&
               command_tell_estimate(&g->pictures.common, &g->estimate, NULL, error);
    }
    pictures_tell_chosen(&g->pictures);
    // networks that are ready are the next job's, too
    s->keeps = s->keeps || g->jobs->len > 1;
    return each_job(g, s, draw_job, error);
}

// one word that belongs to no option is the prompt
static bool take_word(struct generate *g, char *const *words, GError **error)
{
    // --prompt counts before a word: then the word is one too many
    const bool asked = given_has(given(g), "prompt");

    g->typed = asked ? text(g, "prompt") : *words;
    if (!asked && words[0] != NULL) {
        words++;
    }
    return words[0] == NULL ||
           error_usage(error,
                       "'%s' is no option of this command, and there is a prompt already; put "
                       "quotes around a text with blanks.",
                       words[0]);
}

// they count before the prompt is looked at, and after what was given; typed: a prompt was
static bool take_settings(struct generate *g, bool typed, GError **error)
{
    const char *settings = text(g, "settings");

    return settings == NULL ||
           picture_settings_take(&g->pictures.common.given, typed || given_has(given(g), "prompts"),
                                 settings, g->pictures.common.report, &g->model, error);
}

static bool run(void *command, char *const *words, GError **error)
{
    struct generate *g = command;

    g->pictures.describe = describe;
    return take_settings(g, words[0] != NULL, error) && take_word(g, words, error) &&
           draw(g, error);
}

static void finish(void *command)
{
    struct generate *g = command;

    pictures_close(&g->pictures);
    generate_job_list_free(g);
    g_free(g->model);
    strip_clear(&g->strip);
    picture_free(g->init);
    picture_free(g->mask);
}

const struct command_kind command_generate = {
    .word = "generate",
    .purpose = "make pictures from a text, with learned subjects",
    .summary = "Makes pictures from a text, with learned subjects in them.",
    .usage = "[TEXT]",
    .size = sizeof(struct generate),
    .table = &options_of_generate,
    .job = true,
    .spreads = true,
    .opening = COMMAND_RUNS,
    .run = run,
    .finish = finish};
