/* svdiff generate: a prompt to pictures. */
#include "engine/command/adapter_option.h"
#include "engine/command/made_text.h"
#include "engine/command/pictures.h"
#include "engine/command/region_option.h"
#include "engine/command/strip_draw.h"

#include "engine/base/error.h"
#include "engine/picture/canvas.h"
#include "engine/generate/generate_check.h"
#include "engine/picture/mask.h"
#include "engine/subject/subject_list.h"
#include "engine/subject/subject_words.h"

// read from the command line and from files; options borrow from it
struct generate {
    struct pictures pictures;
    struct svdiff_generate_options options;
    char *prompt, *negative; // as they are drawn
    struct svdiff_region *regions;
    struct svdiff_scaled_subject *subjects;
    struct adapter_options adapters;
    int n_regions, n_subjects;
    picture *init, *mask;
    struct canvas_margins margins;
    struct strip strip; // without values: none
};

/* ---- options ---- */

static const struct given *given(const struct generate *g)
{
    return &g->pictures.common.given;
}

static const char *text(const struct generate *g, const char *option)
{
    return given_text(given(g), option);
}

// "left.png=a [V] dog"
static bool take_regions(struct generate *g, GError **error)
{
    char *const *list = given_list(given(g), "region");
    const int n = list != NULL ? (int)g_strv_length((char **)list) : 0;

    g->regions = g_new0(struct svdiff_region, n + 1);
    g->n_regions = n;
    for (int i = 0; i < n; i++) {
        if (!region_option_parse(list[i], &g->regions[i], error)) {
            return false;
        }
    }
    return true;
}

// of one text; that a file is not there is told, and the rest is drawn
static uint64_t take_marks(struct generate *g, char **text)
{
    g_autofree char *missing = NULL;
    const uint64_t bits = adapter_options_marks(&g->adapters, text, &missing);

    if (missing != NULL) {
        report_warning(
            g->pictures.common.report,
            "<lora:%s> names no file and is left out; give it with --lora FILE, or put it "
            "into svdiff/loras of your data folder.",
            missing);
    }
    return bits;
}

/* Adapters that texts name: in a region's text it acts there alone, unless the prompt has it, too. */
static void take_adapter_marks(struct generate *g)
{
    const uint64_t everywhere = take_marks(g, &g->prompt);

    for (int i = 0; i < g->n_regions; i++) {
        const uint64_t own = take_marks(g, (char **)&g->regions[i].text) & ~everywhere;
        g->regions[i].subjects |= g->n_subjects < 64 ? own << g->n_subjects : 0;
    }
}

/* What was given on top of the model's defaults, or with s NULL on top of Stable Diffusion's. */
static bool take_options(struct generate *g, const svdiff *s, GError **error)
{
    struct svdiff_generate_options *o = &g->options;

    *o = svdiff_generate_defaults(s);
    pictures_set_seed(&g->pictures, &o->seed);
    if (!given_apply(given(g), o, error)) {
        return false;
    }
    o->prompt = g->prompt;
    o->negative = g->negative;
    o->regions = g->regions;
    o->n_regions = g->n_regions;
    o->subjects = g->subjects;
    o->n_subjects = g->n_subjects;
    o->adapters = adapter_options_list(&g->adapters);
    o->n_adapters = adapter_options_count(&g->adapters);
    o->embeddings = adapter_options_words(&g->adapters, &o->n_embeddings);
    o->init = g->init;
    o->mask = g->mask;
    // what is beyond the edges is clear, and painted
    o->outpaint = o->outpaint || given_has(given(g), "extend");
    g->pictures.common.wanted =
        g->strip.n > 0 ? strip_files(&g->strip, text(g, "output"), o->count) : o->count;
    return true;
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

// what is wrong on the command line alone
static bool check_usage(struct generate *g, GError **error)
{
    if (g->prompt == NULL) {
        return error_usage(error, "Say what to draw with --prompt TEXT.");
    }
    g->subjects = subject_list_parse_all(NULL, (const char *const *)given_list(given(g), "subject"),
                                         (int)given_number(given(g), "keep"), &g->n_subjects);
    g->adapters = adapter_options_take(given(g), true);
    if (!take_regions(g, error)) {
        return false;
    }
    take_adapter_marks(g);
    if (text(g, "strip") != NULL && !strip_parse(text(g, "strip"), &g->strip, error)) {
        return false;
    }
    return pictures_check_usage(&g->pictures, error) && take_options(g, NULL, error) &&
           check_painting(g, error) && generate_check(&g->options, 8, error) &&
           check_strip(g, error);
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
    output_guard_reads(guard, text(g, "init-image"));
    output_guard_reads(guard, text(g, "mask"));
    for (int i = 0; i < g->n_regions; i++) {
        output_guard_reads(guard, g->regions[i].file);
    }
    for (int i = 0; i < g->n_subjects; i++) {
        command_guard_subject(guard, g->subjects[i].file);
    }
    adapter_options_guard(&g->adapters, guard);
    return pictures_check_overwrites(&g->pictures, guard, g->options.steps, error);
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

static bool draw(struct generate *g, GError **error)
{
    // what the command line alone can say first, then files, then the model
    if (!check_usage(g, error) || !check_files(g, error)) {
        return false;
    }
    svdiff *s = pictures_open(&g->pictures, error);
    if (s == NULL || !take_options(g, s, error) || !check_strip(g, error) ||
        !check_overwrites(g, error) || !take_subject_words(g, error)) {
        return false;
    }
    tell_prompts(g);
    // of the same options that would be drawn with
    if (given_has(given(g), "estimate")) {
        struct svdiff_estimate e;
        g->options.count *= MAX(1, g->strip.n);
        return svdiff_estimate_generate(s, &g->options, &e, error) &&
               command_tell_estimate(&g->pictures.common, &e, NULL, error);
    }
    pictures_tell_chosen(&g->pictures);
    if (g->strip.n > 0) {
        return strip_draw(&g->strip, &g->pictures, &g->options, error);
    }
    return svdiff_generate(s, &g->options, pictures_take, command_progress, g, error);
}

// one word that belongs to no option is the prompt
static bool take_word(struct generate *g, char *const *words, GError **error)
{
    // --prompt counts before a word: then the word is one too many
    const bool asked = given_has(given(g), "prompt");

    g->prompt = g_strdup(asked ? text(g, "prompt") : *words);
    g->negative = g_strdup(text(g, "negative"));
    if (!asked && words[0] != NULL) {
        words++;
    }
    return words[0] == NULL ||
           error_usage(error,
                       "'%s' is no option of this command, and there is a prompt already; put "
                       "quotes around a text with blanks.",
                       words[0]);
}

static bool run(void *command, char *const *words, GError **error)
{
    struct generate *g = command;

    g->pictures.describe = describe;
    return take_word(g, words, error) && draw(g, error);
}

static void finish(void *command)
{
    struct generate *g = command;

    pictures_close(&g->pictures);
    // strings of regions and prompts were replaced by copies with the subjects' words
    g_free(g->prompt);
    g_free(g->negative);
    subject_list_free_parsed(g->subjects, g->n_subjects);
    adapter_options_finish(&g->adapters);
    strip_clear(&g->strip);
    for (int i = 0; i < g->n_regions; i++) {
        g_free((char *)g->regions[i].file);
        g_free((char *)g->regions[i].text);
    }
    g_free(g->regions);
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
