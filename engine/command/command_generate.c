/* svdiff generate: a prompt to pictures. */
#include "engine/command/command.h"
#include "engine/command/region_option.h"

#include "engine/generate/sampler.h"
#include "engine/picture/canvas.h"
#include "engine/generate/generate_check.h"
#include "engine/kept_model.h"
#include "engine/picture/mask.h"
#include "engine/base/output_name.h"
#include "engine/session.h"
#include "engine/subject/subject_list.h"
#include "engine/subject/subject_words.h"

#include <string.h>

struct generate {
    struct command common;
    struct svdiff_generate_options options;
    svdiff *session;
    char *prompt, *negative, *sampler, *spacing, *init, *output, *trace;
    char *mask, *fill, *extend, *preview, *unseam;
    char **subjects; // FILE_OR_NAME[:SCALE]
    char **regions;  // FILE=TEXT
    struct svdiff_region *parsed;
    int steps, width, height, count, feather, grow, quality;
    double guidance, eta, strength;
    gboolean force, outpaint, estimate, names;
    GPtrArray *written;
    picture *init_picture, *mask_picture;
    struct canvas_margins margins;
    struct svdiff_scaled_subject *scaled;
};

static const char summary[] = "Makes pictures from a text, with learned subjects in them.";

/* ---- options ---- */

static bool take_words(struct generate *g, GError **error)
{
    struct svdiff_generate_options *o = &g->options;

    if (g->sampler != NULL && !sampler_parse(g->sampler, &o->sampler)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "--sampler is '%s'; it can be %s.",
                    g->sampler, sampler_words());
        return false;
    }
    if (g->spacing != NULL && !sampler_spacing_parse(g->spacing, &o->spacing)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "--spacing is '%s'; it can be %s.",
                    g->spacing, sampler_spacing_words());
        return false;
    }
    return true;
}

static bool check_unseam(const struct generate *g, GError **error)
{
    static const char *const choices[] = {"none", "classes", "swapped", NULL};

    if (g->unseam == NULL || g_strv_contains(choices, g->unseam)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "--unseam is '%s'; it can be none, classes or swapped.", g->unseam);
    return false;
}

// the index of a word of --fill
static bool take_fill(struct generate *g, GError **error)
{
    static const char *const words[] = {"original", "blurred", "noise"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g->fill == NULL || strcmp(g->fill, words[i]) == 0) {
            g->options.fill = (enum svdiff_fill)i;
            return true;
        }
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "--fill is '%s'; it can be original, blurred or noise.", g->fill);
    return false;
}

static void take_subjects(struct generate *g)
{
    const int n = g->subjects != NULL ? (int)g_strv_length(g->subjects) : 0;

    g->scaled = g_new0(struct svdiff_scaled_subject, n + 1);
    for (int i = 0; i < n; i++) {
        g->scaled[i] = subject_list_parse(g->subjects[i]);
    }
    g->options.subjects = g->scaled;
    g->options.n_subjects = n;
}

// "left.png=a [V] dog"
static bool take_regions(struct generate *g, GError **error)
{
    const int n = g->regions != NULL ? (int)g_strv_length(g->regions) : 0;

    g->parsed = g_new0(struct svdiff_region, n + 1);
    g->options.regions = g->parsed;
    g->options.n_regions = n;
    for (int i = 0; i < n; i++) {
        if (!region_option_parse(g->regions[i], &g->parsed[i], error)) {
            return false;
        }
    }
    return true;
}

/* What was given on top of the model's defaults, or with s NULL on top of Stable Diffusion's. */
static bool take_options(struct generate *g, const svdiff *s, GError **error)
{
    struct svdiff_generate_options *o = &g->options;
    const struct svdiff_scaled_subject *subjects = o->subjects;
    const int n_subjects = o->n_subjects, n_regions = o->n_regions;

    *o = svdiff_generate_defaults(s);
    o->regions = g->parsed;
    o->n_regions = n_regions;
    o->prompt = g->prompt;
    o->negative = g->negative != NULL ? g->negative : "";
    o->subjects = subjects;
    o->n_subjects = n_subjects;
    o->steps = g->steps != G_MININT ? g->steps : o->steps;
    o->guidance = g->guidance != -G_MAXDOUBLE ? g->guidance : o->guidance;
    o->width = g->width != G_MININT ? g->width : o->width;
    o->height = g->height != G_MININT ? g->height : o->height;
    o->count = g->count;
    o->eta = g->eta;
    o->strength = g->strength;
    o->seed = g->common.seed;
    o->force = g->force;
    o->trace = g->trace;
    o->preview = g->preview;
    o->init = g->init_picture;
    o->mask = g->mask_picture;
    o->feather = g->feather != G_MININT ? g->feather : o->feather;
    o->grow = g->grow;
    o->outpaint = g->outpaint || g->extend != NULL;
    return take_words(g, error) && check_unseam(g, error) && take_fill(g, error);
}

// options that mean nothing alone
static bool check_painting(struct generate *g, GError **error)
{
    const bool painting = g->mask != NULL || g->extend != NULL || g->outpaint;
    const char *alone = g->fill != NULL          ? "--fill"
                        : g->feather != G_MININT ? "--feather"
                        : g->grow != 0           ? "--grow"
                                                 : NULL;

    if (painting && g->init == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "Say which picture is to be painted into with --init-image FILE.");
        return false;
    }
    if (alone != NULL && !painting) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s goes with a part of a picture; say which with --mask FILE.", alone);
        return false;
    }
    return g->extend == NULL || canvas_parse("--extend", g->extend, &g->margins, error);
}

// what is wrong on the command line alone
static bool check_usage(struct generate *g, GError **error)
{
    if (g->prompt == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "Say what to draw with --prompt TEXT.");
        return false;
    }
    take_subjects(g);
    return take_regions(g, error) && picture_check_name(g->output, error) &&
           command_check_quality(g->quality, g->output, error) &&
           (g->preview == NULL || picture_check_name(g->preview, error)) &&
           check_painting(g, error) && take_options(g, NULL, error) &&
           generate_check(&g->options, 8, error);
}

// a larger picture and the mask of its new parts in place of what was read
static bool extend(struct generate *g, GError **error)
{
    const picture *p = g->init_picture;
    picture *mask = canvas_extend_mask(p->width, p->height, g->mask_picture, &g->margins, error);
    picture *larger = mask != NULL ? canvas_extend(p, &g->margins, error) : NULL;

    picture_free(g->mask_picture);
    g->mask_picture = mask;
    if (larger == NULL) {
        return false;
    }
    picture_free(g->init_picture);
    g->init_picture = larger;
    return true;
}

// where the picture may be painted: what the mask says, what is clear, what is beyond its edges
static bool read_mask(struct generate *g, GError **error)
{
    if (g->mask != NULL) {
        g->mask_picture = mask_read(g->mask, 1, error);
    } else if (g->outpaint && g->extend == NULL) {
        g->mask_picture = canvas_clear(g->init_picture, error);
    } else {
        return g->extend == NULL || extend(g, error);
    }
    return g->mask_picture != NULL && mask_check(g->init_picture, g->mask_picture, error) &&
           (g->extend == NULL || extend(g, error));
}

// what would fail after long work
static bool check_files(struct generate *g, GError **error)
{
    g_autofree char *first = output_name(g->output, 0, g->count);

    g_autofree char *preview = g->preview != NULL ? output_name(g->preview, 1, 1) : NULL;

    if (!output_check(first, error) || !output_check(preview, error) ||
        !output_check(g->trace, error)) {
        return false;
    }
    g->init_picture = g->init != NULL ? picture_read(g->init, 8, error) : NULL;
    if (g->init_picture != NULL) {
        command_tell_init(&g->common, g->init, g->init_picture, g->output,
                          g->mask != NULL || g->extend != NULL || g->outpaint);
    }
    return g->init == NULL || (g->init_picture != NULL && read_mask(g, error));
}

// nothing that is read is overwritten
static bool check_overwrites(const struct generate *g, GError **error)
{
    const struct svdiff_generate_options *o = &g->options;
    g_autoptr(output_guard) guard = command_guard(g->session);

    output_guard_reads(guard, g->init);
    output_guard_reads(guard, g->mask);
    for (int i = 0; i < o->n_regions; i++) {
        output_guard_reads(guard, o->regions[i].file);
    }
    for (int i = 0; i < o->n_subjects; i++) {
        command_guard_subject(guard, o->subjects[i].file);
    }
    return command_guard_pictures(guard, "--output", g->output, o->count, error) &&
           command_guard_previews(guard, o->preview, o->steps, error) &&
           output_guard_writes(guard, "--trace", o->trace, error);
}

static void put_words_in(char **text, const struct subject_words *words, bool names)
{
    g_autofree char *marked = names ? subject_words_mark(words, *text) : g_strdup(*text);
    char *replaced = subject_words_put(words, marked);

    g_free(*text);
    *text = replaced;
}

/* A negative prompt of the subjects' classes, behind what was given. */
static bool take_unseam(struct generate *g, const struct subject_words *words, GError **error)
{
    const bool swapped = g->unseam != NULL && strcmp(g->unseam, "swapped") == 0;
    const bool given = g->negative != NULL && g->negative[0] != '\0';

    if (g->unseam == NULL || strcmp(g->unseam, "none") == 0) {
        return true;
    }
    g_autofree char *classes = subject_words_classes(words, swapped);
    if (classes == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--unseam needs two subjects that say their class, and the files of --subject "
                    "have fewer; write a --negative of your own.");
        return false;
    }
    char *all = g_strjoin(given ? ", " : "", given ? g->negative : "", classes, NULL);
    g_free(g->negative);
    g->negative = all;
    g->options.negative = all;
    return true;
}

/* Of several files, one that a region names is in that region alone. */
static void take_places(struct generate *g, const struct subject_words *words)
{
    for (int i = 0; i < g->options.n_regions && g->options.n_subjects > 1; i++) {
        const char *text = g->parsed[i].text;
        g_autofree char *marked = g->names ? subject_words_mark(words, text) : g_strdup(text);
        g->parsed[i].subjects = subject_words_files(words, marked);
    }
}

// parts of the texts, as they are drawn, that look like more than words
static void tell_prompts(struct generate *g)
{
    const char *missing = g->options.n_subjects == 0
                              ? "give the subject that it means with --subject"
                              : "no subject that was given has a word for it";

    command_tell_prompt(&g->common, "prompt", g->prompt, missing);
    command_tell_prompt(&g->common, "negative prompt", g->options.negative, missing);
    for (int i = 0; i < g->options.n_regions; i++) {
        command_tell_prompt(&g->common, "text of a region", g->parsed[i].text, missing);
    }
}

/* What is said of subjects: [V]s, classes, and which region has which. */
static bool take_subject_words(struct generate *g, GError **error)
{
    struct subject_words words;
    const bool taken =
        subject_words_open(&words, g->options.subjects, g->options.n_subjects, error) &&
        take_unseam(g, &words, error);

    if (taken) {
        take_places(g, &words);
        put_words_in(&g->prompt, &words, g->names);
        g->options.prompt = g->prompt;
        if (g->negative != NULL) {
            put_words_in(&g->negative, &words, false);
            g->options.negative = g->negative;
        }
    }
    for (int i = 0; taken && i < g->options.n_regions; i++) {
        put_words_in((char **)&g->parsed[i].text, &words, g->names);
    }
    subject_words_close(&words);
    return taken;
}

/* ---- pictures ---- */

static bool take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct generate *g = user;
    char *path = output_name(g->output, index, g->options.count);
    const char *hash = session_base_hash(g->session, error);
    g_autofree char *text =
        hash != NULL ? command_describe_generated(&g->options, hash, seed, p) : NULL;

    if (hash == NULL || !command_write_picture(&g->common, path, p, g->quality, text, error)) {
        g_free(path);
        return false;
    }
    g_ptr_array_add(g->written, path);
    return true;
}

static bool progress(void *user, const struct progress *p)
{
    struct generate *g = user;

    return command_progress(&g->common, p);
}

static bool run(struct generate *g, GError **error)
{
    if (!check_usage(g, error) || !check_files(g, error)) {
        return false;
    }
    svdiff *s = g->session = kept_model_open(&g->common.session, error);
    if (s == NULL || !take_options(g, s, error) || !check_overwrites(g, error) ||
        !take_subject_words(g, error)) {
        return false;
    }
    tell_prompts(g);
    if (g->estimate) {
        struct svdiff_estimate e;
        return svdiff_estimate_generate(s, &g->options, &e, error) &&
               command_tell_estimate(&g->common, &e, error);
    }
    if (g->common.seed_text == NULL) {
        report_note(g->common.report, "seed %" G_GUINT64_FORMAT, g->common.seed);
    }
    return svdiff_generate(s, &g->options, take, progress, g, error);
}

// one word that belongs to no option is the prompt
static bool take_word(struct generate *g, char *const *words, GError **error)
{
    if (words[0] != NULL && g->prompt == NULL) {
        g->prompt = g_strdup(*words++);
    }
    if (words[0] != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "'%s' is no option of this command, and there is a prompt already; put quotes "
                    "around a text with blanks.",
                    words[0]);
    }
    return words[0] == NULL;
}

static void finish(struct generate *g)
{
    char **const texts[] = {&g->prompt, &g->negative, &g->sampler, &g->spacing,
                            &g->init,   &g->output,   &g->trace,   &g->mask,
                            &g->fill,   &g->extend,   &g->preview, &g->unseam};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(*texts[i]);
    }
    for (int i = 0; g->scaled != NULL && i < g->options.n_subjects; i++) {
        g_free((char *)g->scaled[i].file);
    }
    g_free(g->scaled);
    g_strfreev(g->subjects);
    for (int i = 0; g->parsed != NULL && i < g->options.n_regions; i++) {
        g_free((char *)g->parsed[i].file);
        g_free((char *)g->parsed[i].text);
    }
    g_free(g->parsed);
    g_strfreev(g->regions);
    g_ptr_array_unref(g->written);
    picture_free(g->init_picture);
    picture_free(g->mask_picture);
    kept_model_close(g->session);
}

int command_generate(interruption *stop, int argc, char **argv)
{
    struct generate g = {.common.stop = stop,
                         .guidance = -G_MAXDOUBLE,
                         .steps = G_MININT,
                         .width = G_MININT,
                         .height = G_MININT,
                         .count = 1,
                         .quality = -1,
                         .strength = 0.75,
                         .feather = G_MININT,
                         .written = g_ptr_array_new_with_free_func(g_free)};
    const GOptionEntry entries[] = {
        {"prompt", 0, 0, G_OPTION_ARG_FILENAME, &g.prompt, "what to draw", "TEXT"},
        {"negative", 0, 0, G_OPTION_ARG_FILENAME, &g.negative, "what not to draw", "TEXT"},
        {"unseam", 0, 0, G_OPTION_ARG_FILENAME, &g.unseam,
         "a negative prompt against seams between several subjects: none, classes ('a dog and a "
         "cat') or swapped (none)",
         "NAME"},
        {"subject", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &g.subjects,
         "a subject file or name, with its strength (repeat: they add up)", "FILE[:SCALE]"},
        {"names", 0, 0, G_OPTION_ARG_NONE, &g.names,
         "in texts without a [V] what the subjects are called means them: fox for [V] fox", NULL},
        {"region", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &g.regions,
         "a text that acts only where a mask is white, and so do files of several --subject whose "
         "words it has (repeat)",
         "FILE=TEXT"},
        {"steps", 0, 0, G_OPTION_ARG_INT, &g.steps, "sampling steps (50)", "N"},
        {"guidance", 0, 0, G_OPTION_ARG_DOUBLE, &g.guidance,
         "how closely the prompt is followed; at most 1: without guidance (7.5)", "X"},
        {"sampler", 0, 0, G_OPTION_ARG_FILENAME, &g.sampler,
         "ddim, euler, euler-a or dpmpp-2m (ddim)", "NAME"},
        {"spacing", 0, 0, G_OPTION_ARG_FILENAME, &g.spacing, "normal or karras (as the model says)",
         "NAME"},
        {"eta", 0, 0, G_OPTION_ARG_DOUBLE, &g.eta, "ddim: share of fresh noise, 0 to 1 (0)", "X"},
        {"width", 0, 0, G_OPTION_ARG_INT, &g.width, "pixels, divisible by 8", "N"},
        {"height", 0, 0, G_OPTION_ARG_INT, &g.height, "pixels, divisible by 8", "N"},
        {"count", 0, 0, G_OPTION_ARG_INT, &g.count, "pictures, each with its own seed (1)", "N"},
        {"init-image", 0, 0, G_OPTION_ARG_FILENAME, &g.init, "a picture to start from", "FILE"},
        {"strength", 0, 0, G_OPTION_ARG_DOUBLE, &g.strength,
         "how far from it the result may go, 0 to 1 (0.75)", "X"},
        {"mask", 0, 0, G_OPTION_ARG_FILENAME, &g.mask,
         "where that picture may change: white in a picture of its size", "FILE"},
        {"fill", 0, 0, G_OPTION_ARG_FILENAME, &g.fill,
         "what painting begins with there: original, blurred or noise (original)", "NAME"},
        {"feather", 0, 0, G_OPTION_ARG_INT, &g.feather,
         "pixels over which the model's freedom ends (from mask and strength)", "N"},
        {"grow", 0, 0, G_OPTION_ARG_INT, &g.grow, "pixels around the mask that may change, too (0)",
         "N"},
        {"outpaint", 0, 0, G_OPTION_ARG_NONE, &g.outpaint,
         "paint what is clear: below the mask, or everywhere without one", NULL},
        {"extend", 0, 0, G_OPTION_ARG_FILENAME, &g.extend,
         "paint this many pixels beyond the edges, too", "N|LEFT,TOP,RIGHT,BOTTOM"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &g.output,
         ".png (16 bits if --init-image has them), .tif (float), .jpg or .webp; %d or %04d is the "
         "picture's number (picture.png)",
         "PATTERN"},
        {"quality", 0, 0, G_OPTION_ARG_INT, &g.quality, "of .jpg and .webp, 1 to 100 (90)", "N"},
        {"preview", 0, 0, G_OPTION_ARG_FILENAME, &g.preview,
         "a small picture of each step (.png); %d is the step's number", "PATTERN"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &g.force, "open subjects of another model", NULL},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &g.trace, "write what was computed", "FILE"},
        {"estimate", 0, 0, G_OPTION_ARG_NONE, &g.estimate,
         "say how much memory and time it takes, and do nothing", NULL},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    char **words = NULL;
    int code = command_begin(&g.common, &argc, &argv, entries, summary, "[TEXT]", &g, &words);

    // after the options: GOption does not free what it replaces
    g.output = g.output != NULL ? g.output : g_strdup("picture.png");
    if (code == COMMAND_DONE && !take_word(&g, words, &error)) {
        code = command_fail(&g.common, error);
    } else if (code == COMMAND_DONE && (!run(&g, &error) || !g.estimate)) {
        code = command_end_pictures(&g.common, g.written, g.count, error);
    }
    finish(&g);
    return command_end(&g.common, code);
}
