/* svdiff learn: pictures to a subject file. */
#include "engine/command/command.h"
#include "engine/command/learn_subjects.h"

#include "engine/learn/learn_check.h"
#include "engine/learn/learn_files.h"
#include "engine/base/output_name.h"
#include "engine/learn/mixing/learn_layout.h"
#include "engine/subject/shift_set.h"
#include "engine/subject/subject_lookup.h"
#include "engine/text/prompt.h"

#include <string.h>

struct learn {
    struct command common;
    struct svdiff_learn_options options;
    struct learn_subjects subjects;
    char *output, *schedule, *crop, *latent, *norms, *subset, *sample_prompt, *trace, *unmix_layers,
        *cut_mix_layouts, *unmix_maps, *squares;
    // numbers as texts, so that an absent option keeps the model's default
    char *rate, *rate_1d, *placeholder_rate, *min_snr, *weight_decay, *clip, *prior_weight,
        *mask_weight, *cut_mix, *unmix_weight;
    int steps, warm_up, accumulate, batch, size, prior_images, unmix_grid, apart_pictures;
    int validate_every, sample_every, checkpoint_every;
    int flip, text_encoder; // -1: the default
    gboolean resume, resume_own, estimate;
};

static const char summary[] =
    "Learns one or several subjects into one subject file. Each --prompt starts a subject; the\n"
    "--class-prompt, --image, --mask (of the image before it) and --region that follow belong to\n"
    "it. [V] in a prompt is replaced by a rare word of the model, which the file remembers:\n\n"
    "  svdiff learn --prompt 'a photo of a [V] dog' --image a.png --image b.png --output "
    "dog.safetensors";

/* ---- the other options ---- */

static bool take_number(const char *option, const char *text, double *value, GError **error)
{
    char *end;

    if (text == NULL) {
        return true;
    }
    *value = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0') {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s is '%s'; it must be a number such as 0.001.", option, text);
        return false;
    }
    return true;
}

// the index of text among words (separated by "|"); false with a sentence
static bool take_word(const char *option, const char *text, const char *words, int *index,
                      GError **error)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);

    for (int i = 0; text != NULL && list[i] != NULL; i++) {
        if (strcmp(list[i], text) == 0) {
            *index = i;
            return true;
        }
    }
    if (text == NULL) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "%s is '%s'; it can be %s.", option, text,
                words);
    return false;
}

static bool take_numbers(struct learn *l, GError **error)
{
    struct svdiff_learn_options *o = &l->options;

    return take_number("--learning-rate", l->rate, &o->rate, error) &&
           take_number("--learning-rate-1d", l->rate_1d, &o->rate_1d, error) &&
           take_number("--placeholder-rate", l->placeholder_rate, &o->placeholder_rate, error) &&
           take_number("--min-snr", l->min_snr, &o->min_snr, error) &&
           take_number("--weight-decay", l->weight_decay, &o->weight_decay, error) &&
           take_number("--clip", l->clip, &o->clip, error) &&
           take_number("--mask-weight", l->mask_weight, &o->mask_weight, error) &&
           take_number("--cut-mix", l->cut_mix, &o->cut_mix, error) &&
           take_number("--unmix-weight", l->unmix_weight, &o->unmix_weight, error) &&
           take_number("--prior-weight", l->prior_weight, &o->prior_weight, error);
}

static bool take_words(struct learn *l, GError **error)
{
    struct svdiff_learn_options *o = &l->options;
    g_autofree char *subsets = shift_subset_words();
    int schedule = (int)o->schedule, crop = o->random_crop, latent = o->latent_mean;
    int norms = o->scalar_norms, subset = (int)o->subset;
    int layers = (int)o->unmix_layers - UNMIX_DOWN, maps = (int)o->unmix_maps;
    int layouts = (int)o->cut_mix_layouts;

    if (!take_word("--schedule", l->schedule, "constant|linear|cosine", &schedule, error) ||
        !take_word("--crop", l->crop, "centre|random", &crop, error) ||
        !take_word("--latent", l->latent, "sample|mean", &latent, error) ||
        !take_word("--norms", l->norms, "elementwise|scalar", &norms, error) ||
        !take_word("--cut-mix-layouts", l->cut_mix_layouts, LAYOUT_CHOICES, &layouts, error) ||
        !take_word("--unmix-layers", l->unmix_layers, "down|up|both", &layers, error) ||
        !take_word("--unmix-maps", l->unmix_maps, "plain|mean|max", &maps, error) ||
        !take_word("--subset", l->subset, subsets, &subset, error)) {
        return false;
    }
    o->schedule = (enum svdiff_rate_schedule)schedule;
    o->random_crop = crop;
    o->latent_mean = latent;
    o->scalar_norms = norms;
    o->subset = (enum shift_subset)subset;
    o->cut_mix_layouts = (enum layout_choice)layouts;
    o->unmix_layers = (enum unmix_layers)(UNMIX_DOWN + layers);
    o->unmix_maps = (enum unmix_maps)maps;
    return true;
}

// the given one, that of the run that may go on, or 0
static uint64_t find_seed(const struct learn *l)
{
    uint64_t seed = 0;

    if (l->common.seed_text != NULL) {
        return l->common.seed;
    }
    return l->resume_own && svdiff_learn_seed(l->output, &seed) ? seed : 0;
}

static bool take_options(struct learn *l, GError **error)
{
    struct svdiff_learn_options *o = &l->options;
    const struct {
        int given, *option;
    } numbers[] = {{l->steps, &o->steps},
                   {l->warm_up, &o->warm_up},
                   {l->accumulate, &o->accumulate},
                   {l->batch, &o->batch},
                   {l->size, &o->size},
                   {l->prior_images, &o->prior_images},
                   {l->unmix_grid, &o->unmix_grid},
                   {l->apart_pictures, &o->apart_pictures},
                   {l->validate_every, &o->validate_every},
                   {l->sample_every, &o->sample_every},
                   {l->checkpoint_every, &o->checkpoint_every}};

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].given != G_MININT) {
            *numbers[i].option = numbers[i].given;
        }
    }
    if (l->steps == G_MININT) {
        o->steps = svdiff_learn_steps(o->steps, (int)l->subjects.all->len);
    }
    o->flip = l->flip >= 0 ? l->flip : o->flip;
    o->text_encoder = l->text_encoder >= 0 ? l->text_encoder : o->text_encoder;
    o->output = l->output;
    o->sample_prompt = l->sample_prompt;
    o->resume = l->resume;
    o->resume_own = l->resume_own;
    o->trace = l->trace;
    o->seed = find_seed(l);
    return take_numbers(l, error) && take_words(l, error);
}

static bool progress(void *user, const struct progress *p)
{
    struct learn *l = user;

    return command_progress(&l->common, p);
}

static void tell_apart(void *user, const struct svdiff_apart *a)
{
    struct learn *l = user;

    command_tell_apart(&l->common, l->options.subjects, a);
}

// the options on top of the model's defaults, or with s NULL on top of Stable Diffusion's
static bool make_options(struct learn *l, const svdiff *s, const struct svdiff_subject *subjects,
                         GError **error)
{
    l->options = svdiff_learn_defaults(s);
    l->options.subjects = subjects;
    l->options.n_subjects = (int)l->subjects.all->len;
    l->options.apart = tell_apart;
    return take_options(l, error);
}

/* Of the command line alone, where a rate is there only when it was asked for: then something has
 * to learn. One that a model proposes just skips prompts without [V]. */
static bool check_placeholders(const struct learn *l, GError **error)
{
    const struct svdiff_learn_options *o = &l->options;

    for (int i = 0; i < o->n_subjects && o->placeholder_rate > 0; i++) {
        if (!prompt_has_placeholder(o->subjects[i].prompt)) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                        "--placeholder-rate is for the word that stands for [V], which the "
                        "--prompt '%s' does not have; write [V] in it, or leave the option out.",
                        o->subjects[i].prompt);
            return false;
        }
    }
    return true;
}

static bool check_squares(const struct learn *l, GError **error)
{
    if (l->squares != NULL && !l->estimate) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--squares %s belongs to --estimate; give both, or leave it out.", l->squares);
        return false;
    }
    return l->squares == NULL || picture_check_name(l->squares, error);
}

static bool estimate(struct learn *l, svdiff *s, GError **error)
{
    struct svdiff_estimate e = {0};
    const bool told =
        svdiff_estimate_learn(s, &l->options, &e, error) &&
        (l->squares == NULL || picture_write(l->squares, e.squares, NULL, 0, error)) &&
        command_tell_estimate(&l->common, &e, error);

    svdiff_estimate_clear(&e);
    return told;
}

// nothing that is read is overwritten
static bool check_overwrites(const struct learn *l, const svdiff *s, GError **error)
{
    const struct svdiff_learn_options *o = &l->options;
    g_autoptr(output_guard) guard = command_guard(s);
    g_auto(GStrv) beside = learn_files(o);

    for (int i = 0; i < o->n_subjects; i++) {
        output_guard_reads(guard, o->subjects[i].region);
        for (int k = 0; o->subjects[i].images[k] != NULL; k++) {
            output_guard_reads(guard, o->subjects[i].images[k]);
            output_guard_reads(guard, o->subjects[i].masks[k]);
        }
    }
    bool good = output_guard_writes(guard, "--output", o->output, error) &&
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
        command_tell_prompt(&l->common, "prompt", o->subjects[i].prompt, NULL);
        if (o->subjects[i].class_prompt != NULL) {
            command_tell_prompt(&l->common, "class prompt", o->subjects[i].class_prompt,
                                "the class has no word of its own");
        }
    }
    if (o->sample_prompt != NULL) {
        g_autofree char *left = known_placeholders(l);
        command_tell_prompt(&l->common, "sample prompt", left, "no --prompt has this one");
    }
}

static bool run(struct learn *l, GError **error)
{
    g_autofree struct svdiff_subject *subjects = learn_subjects_take(&l->subjects);

    // what is wrong on the command line alone, then what would fail after long work
    if (!make_options(l, NULL, subjects, error) || !learn_check(&l->options, 1, error) ||
        !check_placeholders(l, error) || !check_squares(l, error) ||
        !subject_check_output("--output", l->output, error) || !output_check(l->output, error) ||
        !output_check(l->trace, error)) {
        return false;
    }
    g_autoptr(svdiff) s = svdiff_open(&l->common.session, error);
    if (s == NULL || !make_options(l, s, subjects, error) || !check_overwrites(l, s, error)) {
        return false;
    }
    tell_prompts(l);
    for (guint i = 0; i < l->subjects.notes->len; i++) {
        report_note(l->common.report, "%s", (char *)l->subjects.notes->pdata[i]);
    }
    return l->estimate ? estimate(l, s, error) : svdiff_learn(s, &l->options, progress, l, error);
}

static void finish(struct learn *l)
{
    char *const texts[] = {l->output,       l->schedule,      l->crop,
                           l->latent,       l->norms,         l->subset,
                           l->trace,        l->sample_prompt, l->rate,
                           l->rate_1d,      l->clip,          l->min_snr,
                           l->weight_decay, l->prior_weight,  l->mask_weight,
                           l->cut_mix,      l->unmix_weight,  l->placeholder_rate,
                           l->unmix_layers, l->unmix_maps,    l->cut_mix_layouts,
                           l->squares};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    learn_subjects_finish(&l->subjects);
}

#define RAW(function) G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, (gpointer)(function)

int command_learn(interruption *stop, int argc, char **argv)
{
    struct learn l = {.common.stop = stop,
                      .subjects = learn_subjects_create(),
                      .flip = -1,
                      .text_encoder = -1,
                      .steps = G_MININT,
                      .warm_up = G_MININT,
                      .accumulate = G_MININT,
                      .batch = G_MININT,
                      .size = G_MININT,
                      .prior_images = G_MININT,
                      .unmix_grid = G_MININT,
                      .apart_pictures = G_MININT,
                      .validate_every = G_MININT,
                      .sample_every = G_MININT,
                      .checkpoint_every = G_MININT};
    const GOptionEntry entries[] = {
        {"prompt", 0, RAW(learn_subjects_on_prompt), "what the pictures show; begins a subject",
         "TEXT"},
        {"class-prompt", 0, RAW(learn_subjects_on_class_prompt),
         "the same without [V] (made from the prompt)", "TEXT"},
        {"image", 0, RAW(learn_subjects_on_image),
         "pictures of the subject, or a folder of them (repeat)", "FILE..."},
        {"image+", 0, G_OPTION_FLAG_HIDDEN | RAW(learn_subjects_on_more), NULL, NULL},
        {"mask", 0, RAW(learn_subjects_on_mask),
         "of the image before it: the subject is white; of several a folder", "FILE"},
        {"region", 0, RAW(learn_subjects_on_region),
         "where the subject goes beside another: white (any half)", "FILE"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &l.output, "the subject file", "FILE"},
        {"steps", 0, 0, G_OPTION_ARG_INT, &l.steps,
         "steps of learning (500, and half as many more for each further subject)", "N"},
        {"learning-rate", 0, 0, G_OPTION_ARG_FILENAME, &l.rate, "of matrices (0.001)", "X"},
        {"learning-rate-1d", 0, 0, G_OPTION_ARG_FILENAME, &l.rate_1d, "of norms (0.000001)", "X"},
        {"placeholder-rate", 0, 0, G_OPTION_ARG_FILENAME, &l.placeholder_rate,
         "of the word that stands for [V], such as 0.0005; 0: it stays (0)", "X"},
        {"schedule", 0, 0, G_OPTION_ARG_FILENAME, &l.schedule,
         "constant, linear or cosine (constant)", "NAME"},
        {"warm-up", 0, 0, G_OPTION_ARG_INT, &l.warm_up, "steps in which the rates rise (0)", "N"},
        {"min-snr", 0, 0, G_OPTION_ARG_FILENAME, &l.min_snr, "gamma of min-SNR weights; 0: off (0)",
         "X"},
        {"weight-decay", 0, 0, G_OPTION_ARG_FILENAME, &l.weight_decay, "of AdamW (0.01)", "X"},
        {"clip", 0, 0, G_OPTION_ARG_FILENAME, &l.clip, "largest norm of the gradient; 0: off (1)",
         "X"},
        {"accumulate", 0, 0, G_OPTION_ARG_INT, &l.accumulate, "batches a step (1)", "N"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &l.batch, "pictures at once (1)", "N"},
        {"flip", 0, 0, G_OPTION_ARG_NONE, &l.flip, "show mirror images, too", NULL},
        {"no-flip", 0, G_OPTION_FLAG_REVERSE, G_OPTION_ARG_NONE, &l.flip, "do not", NULL},
        {"crop", 0, 0, G_OPTION_ARG_FILENAME, &l.crop, "centre or random (centre)", "NAME"},
        {"latent", 0, 0, G_OPTION_ARG_FILENAME, &l.latent, "sample or mean of the encoder (sample)",
         "NAME"},
        {"size", 0, 0, G_OPTION_ARG_INT, &l.size,
         "side of the pictures in pixels (the model's own)", "N"},
        {"mask-weight", 0, 0, G_OPTION_ARG_FILENAME, &l.mask_weight,
         "how much counts what is outside of the masks, 0 to 1 (0.1)", "X"},
        {"cut-mix", 0, 0, G_OPTION_ARG_FILENAME, &l.cut_mix,
         "how often two subjects are mixed into one picture, 0 to 1 (0.6)", "P"},
        {"cut-mix-layouts", 0, 0, G_OPTION_ARG_FILENAME, &l.cut_mix_layouts,
         "how they share it where no --region says so: halves, stacked, corners or all (halves)",
         "NAME"},
        {"unmix-weight", 0, 0, G_OPTION_ARG_FILENAME, &l.unmix_weight,
         "how much counts that words attend to the places of other subjects; 0: not (0.04)", "W"},
        {"unmix-grid", 0, 0, G_OPTION_ARG_INT, &l.unmix_grid,
         "side of the attention maps that this is seen in, or the nearest (16)", "N"},
        {"unmix-layers", 0, 0, G_OPTION_ARG_FILENAME, &l.unmix_layers,
         "blocks of the UNet that it is seen in: down, up or both (down)", "NAME"},
        {"unmix-maps", 0, 0, G_OPTION_ARG_FILENAME, &l.unmix_maps,
         "plain, or divided by their mean or max (mean)", "NAME"},
        {"apart-pictures", 0, 0, G_OPTION_ARG_INT, &l.apart_pictures,
         "pictures drawn at the end, to say how well several subjects stay apart; 0: none (2)",
         "N"},
        {"prior-weight", 0, 0, G_OPTION_ARG_FILENAME, &l.prior_weight,
         "how much the class is kept as it was; 0: not (1)", "X"},
        {"prior-images", 0, 0, G_OPTION_ARG_INT, &l.prior_images,
         "pictures of the class made for that; 0: the model's predictions serve (0)", "N"},
        {"text-encoder", 0, 0, G_OPTION_ARG_NONE, &l.text_encoder,
         "shift the text encoder, too (the default)", NULL},
        {"no-text-encoder", 0, G_OPTION_FLAG_REVERSE, G_OPTION_ARG_NONE, &l.text_encoder, "do not",
         NULL},
        {"norms", 0, 0, G_OPTION_ARG_FILENAME, &l.norms, "elementwise or scalar (elementwise)",
         "NAME"},
        {"subset", 0, 0, G_OPTION_ARG_FILENAME, &l.subset,
         "weights of the UNet that are shifted (unet)", "NAME"},
        {"validate-every", 0, 0, G_OPTION_ARG_INT, &l.validate_every,
         "steps between losses on fixed noise, a column of OUTPUT.csv; 0: none (0)", "N"},
        {"sample-every", 0, 0, G_OPTION_ARG_INT, &l.sample_every,
         "steps between samples; 0: none (0)", "N"},
        {"sample-prompt", 0, 0, G_OPTION_ARG_FILENAME, &l.sample_prompt, "what they show", "TEXT"},
        {"checkpoint-every", 0, 0, G_OPTION_ARG_INT, &l.checkpoint_every,
         "steps between checkpoints; 0: none (0)", "N"},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &l.resume,
         "go on from OUTPUT.resume, where a stopped run or one with fewer --steps ended", NULL},
        {"continue", 0, 0, G_OPTION_ARG_NONE, &l.resume_own,
         "go on from OUTPUT.resume where it is of the same run, with its seed, else begin anew; "
         "remove it at the end",
         NULL},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &l.trace, "write what was computed", "FILE"},
        {"estimate", 0, 0, G_OPTION_ARG_NONE, &l.estimate,
         "say how much memory and time it takes, and do nothing", NULL},
        {"squares", 0, 0, G_OPTION_ARG_FILENAME, &l.squares,
         "with --estimate: write what is learned of the first pictures, side by side, clear where "
         "no mask marks (.png)",
         "FILE"},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    int code = command_begin(&l.common, &argc, &argv, entries, summary, "", &l.subjects, NULL);

    if (code == COMMAND_DONE && !run(&l, &error)) {
        code = command_fail(&l.common, error);
    } else if (code == COMMAND_DONE && !l.estimate) {
        report_files(l.common.report, (const char *const[]){l.output, NULL});
    }
    finish(&l);
    return command_end(&l.common, code);
}
