/* svdiff edit: one picture, drawn again from other prompts. */
#include "engine/command/command.h"

#include "engine/edit/edit_check.h"
#include "engine/edit/edit_shift.h"
#include "engine/kept_model.h"
#include "engine/base/output_name.h"
#include "engine/learn/learn_files.h"
#include "engine/session.h"

#include <math.h>
#include <string.h>

#define ABSENT (-G_MAXDOUBLE)

struct edit {
    struct command common;
    struct svdiff_edit_options options;
    svdiff *session;
    char *image, *prompt, *negative, *shift, *invert_on, *output, *preview, *trace;
    char **targets;
    int learn_steps, steps, refine, fit, width, height, count, quality;
    gboolean force;
    int invert; // -1: as the structure says
    double rate, structure, eta, noise, guidance;
    GPtrArray *written;
};

static const char summary[] =
    "Learns one picture with its description and draws it from other prompts. What was learned\n"
    "stays beside the picture, so that the next edit begins at once:\n\n"
    "  svdiff edit --image cat.jpg --prompt 'a photo of a cat' --target 'a cat in the snow'\n\n"
    "For 'a cat on the left and a dog on the right' (or at the top, at the bottom) the picture is\n"
    "put on the left, smaller, and the dog comes beside it.";

/* ---- options ---- */

static bool take_structure(struct edit *e, GError **error)
{
    struct svdiff_edit_options *o = &e->options;

    if (e->structure != ABSENT) {
        if (!(e->structure >= 0 && e->structure <= 1)) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                        "--structure is %g; it can be from 0 to 1.", e->structure);
            return false;
        }
        svdiff_edit_structure(o, e->structure);
    }
    o->invert = e->invert >= 0 ? e->invert : o->invert;
    o->eta = e->eta != ABSENT ? e->eta : o->eta;
    o->noise = e->noise != ABSENT ? e->noise : o->noise;
    o->invert_source = g_strcmp0(e->invert_on, "prompt") == 0;
    if (e->invert_on != NULL && !o->invert_source && strcmp(e->invert_on, "target") != 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--invert-on is '%s'; it can be target or prompt.", e->invert_on);
        return false;
    }
    return true;
}

// what was given on top of the model's defaults, or with s NULL on top of Stable Diffusion's
static bool take_options(struct edit *e, const svdiff *s, GError **error)
{
    struct svdiff_edit_options *o = &e->options;

    *o = svdiff_edit_defaults(s);
    o->image = e->image;
    o->prompt = e->prompt;
    o->targets = (const char *const *)e->targets;
    o->n_targets = e->targets != NULL ? (int)g_strv_length(e->targets) : 0;
    o->negative = e->negative != NULL ? e->negative : "";
    o->shift = e->shift;
    o->force = e->force;
    o->learn_steps = e->learn_steps != G_MININT ? e->learn_steps : o->learn_steps;
    o->rate = e->rate != ABSENT ? e->rate : o->rate;
    o->steps = e->steps != G_MININT ? e->steps : o->steps;
    o->refine = e->refine != G_MININT ? e->refine : o->refine;
    o->fit = e->fit != G_MININT ? e->fit : o->fit;
    o->guidance = e->guidance != ABSENT ? e->guidance : o->guidance;
    o->width = e->width != G_MININT ? e->width : o->width;
    o->height = e->height != G_MININT ? e->height : o->height;
    o->count = e->count;
    o->seed = e->common.seed;
    o->preview = e->preview;
    o->trace = e->trace;
    return take_structure(e, error);
}

// what would fail after long work
static bool check_files(const struct edit *e, GError **error)
{
    g_autofree char *first = output_name(e->output, 0, e->options.n_targets * e->count);
    g_autofree char *preview = e->preview != NULL ? output_name(e->preview, 1, 1) : NULL;

    return output_check(first, error) && output_check(preview, error) &&
           output_check(e->trace, error);
}

// what is learned of the picture is written, and then renamed, or is there and read
static bool check_shift(output_guard *guard, const char *shift, GError **error)
{
    if (g_file_test(shift, G_FILE_TEST_EXISTS)) {
        output_guard_reads(guard, shift);
        return true;
    }
    g_autofree char *part = edit_shift_part(shift);
    g_autofree char *losses = learn_file_losses(part), *state = learn_file_state(part);
    return output_guard_writes(guard, "--shift", shift, error) &&
           output_guard_writes(guard, "--shift", part, error) &&
           output_guard_writes(guard, "--shift", losses, error) &&
           output_guard_writes(guard, "--shift", state, error);
}

// nothing that is read is overwritten
static bool check_overwrites(const struct edit *e, GError **error)
{
    const struct svdiff_edit_options *o = &e->options;
    g_autoptr(output_guard) guard = command_guard(e->session);

    output_guard_reads(guard, o->image);
    return (!edit_shift_named(o) || check_shift(guard, o->shift, error)) &&
           command_guard_pictures(guard, "--output", e->output, o->n_targets * o->count, error) &&
           command_guard_previews(guard, o->preview, o->steps, error) &&
           output_guard_writes(guard, "--trace", o->trace, error);
}

static bool check_usage(struct edit *e, GError **error)
{
    return picture_check_name(e->output, error) &&
           command_check_quality(e->quality, e->output, error) &&
           (e->preview == NULL || picture_check_name(e->preview, error)) &&
           take_options(e, NULL, error) && edit_check(&e->options, 8, error);
}

/* ---- pictures ---- */

static bool take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct edit *e = user;
    g_autofree char *path = output_name(e->output, index, e->options.n_targets * e->options.count);
    const char *hash = session_base_hash(e->session, error);
    g_autofree char *text =
        hash != NULL ? command_describe_edited(&e->options, hash, index, seed, p) : NULL;

    if (hash == NULL || !command_write_picture(&e->common, path, p, e->quality, text, error)) {
        return false;
    }
    g_ptr_array_add(e->written, g_steal_pointer(&path));
    return true;
}

static bool progress(void *user, const struct progress *p)
{
    struct edit *e = user;

    return command_progress(&e->common, p);
}

// parts of the texts that look like more than words
static void tell_prompts(struct edit *e)
{
    static const char missing[] = "an edit is of the picture alone";

    command_tell_prompt(&e->common, "prompt", e->options.prompt, NULL); // edit_check.h refuses [V]
    command_tell_prompt(&e->common, "negative prompt", e->options.negative, missing);
    for (int i = 0; i < e->options.n_targets; i++) {
        command_tell_prompt(&e->common, "target", e->options.targets[i], missing);
    }
}

static bool run(struct edit *e, GError **error)
{
    if (!check_usage(e, error) || !check_files(e, error)) {
        return false;
    }
    e->session = kept_model_open(&e->common.session, error);
    if (e->session == NULL || !take_options(e, e->session, error) || !check_overwrites(e, error)) {
        return false;
    }
    tell_prompts(e);
    if (e->common.seed_text == NULL) {
        report_note(e->common.report, "seed %" G_GUINT64_FORMAT, e->common.seed);
    }
    return svdiff_edit(e->session, &e->options, take, progress, e, error);
}

static void finish(struct edit *e)
{
    char *const texts[] = {e->image,     e->prompt, e->negative, e->shift,
                           e->invert_on, e->output, e->preview,  e->trace};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    g_strfreev(e->targets);
    g_ptr_array_unref(e->written);
    kept_model_close(e->session);
}

static int parse(struct edit *e, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"image", 0, 0, G_OPTION_ARG_FILENAME, &e->image, "the picture", "FILE"},
        {"prompt", 0, 0, G_OPTION_ARG_FILENAME, &e->prompt, "what it shows, in plain words",
         "TEXT"},
        {"target", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &e->targets,
         "what to draw in its place (repeat)", "TEXT"},
        {"negative", 0, 0, G_OPTION_ARG_FILENAME, &e->negative, "what not to draw", "TEXT"},
        {"structure", 0, 0, G_OPTION_ARG_DOUBLE, &e->structure,
         "how much of the picture's structure is kept, 0 to 1: sets the next three (0.75)", "X"},
        {"invert", 0, 0, G_OPTION_ARG_NONE, &e->invert, "begin with the inverted picture", NULL},
        {"no-invert", 0, G_OPTION_FLAG_REVERSE, G_OPTION_ARG_NONE, &e->invert, "begin with noise",
         NULL},
        {"eta", 0, 0, G_OPTION_ARG_DOUBLE, &e->eta, "share of fresh noise in each step, 0 to 1",
         "X"},
        {"noise", 0, 0, G_OPTION_ARG_DOUBLE, &e->noise,
         "from the inverted picture (0) to fresh noise (1)", "ALPHA"},
        {"invert-on", 0, 0, G_OPTION_ARG_FILENAME, &e->invert_on,
         "the words it is inverted under: target or prompt (target)", "NAME"},
        {"refine", 0, 0, G_OPTION_ARG_INT, &e->refine,
         "corrections of each step of the inversion, so that it can be undone (0)", "N"},
        {"fit", 0, 0, G_OPTION_ARG_INT, &e->fit,
         "steps in which the picture's latents are corrected through the decoder (0)", "N"},
        {"guidance", 0, 0, G_OPTION_ARG_DOUBLE, &e->guidance,
         "how closely the target is followed; at most 1: without guidance (3)", "X"},
        {"steps", 0, 0, G_OPTION_ARG_INT, &e->steps, "steps of sampling and inversion (50)", "N"},
        {"learn-steps", 0, 0, G_OPTION_ARG_INT, &e->learn_steps, "steps of learning (500)", "N"},
        {"learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &e->rate, "of matrices (0.001)", "X"},
        {"shift", 0, 0, G_OPTION_ARG_FILENAME, &e->shift,
         "the file of what is learned of the picture, or a folder for it (the picture's)", "FILE"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &e->force, "take a --shift of another model", NULL},
        {"width", 0, 0, G_OPTION_ARG_INT, &e->width, "working size in pixels, divisible by 8", "N"},
        {"height", 0, 0, G_OPTION_ARG_INT, &e->height, "working size in pixels, divisible by 8",
         "N"},
        {"count", 0, 0, G_OPTION_ARG_INT, &e->count,
         "pictures a target, each with its own seed (1)", "N"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &e->output,
         ".png, .tif (float), .jpg or .webp; %d or %04d is the picture's number (edit.png)",
         "PATTERN"},
        {"quality", 0, 0, G_OPTION_ARG_INT, &e->quality, "of .jpg and .webp, 1 to 100 (90)", "N"},
        {"preview", 0, 0, G_OPTION_ARG_FILENAME, &e->preview,
         "a small picture of each step (.png); %d is the step's number", "PATTERN"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &e->trace, "write what was computed", "FILE"},
        G_OPTION_ENTRY_NULL};

    return command_begin(&e->common, &argc, &argv, entries, summary, "", e, NULL);
}

int command_edit(interruption *stop, int argc, char **argv)
{
    struct edit e = {.common.stop = stop,
                     .learn_steps = G_MININT,
                     .steps = G_MININT,
                     .refine = G_MININT,
                     .fit = G_MININT,
                     .width = G_MININT,
                     .height = G_MININT,
                     .count = 1,
                     .quality = -1,
                     .invert = -1,
                     .rate = ABSENT,
                     .structure = ABSENT,
                     .eta = ABSENT,
                     .noise = ABSENT,
                     .guidance = ABSENT,
                     .written = g_ptr_array_new_with_free_func(g_free)};
    GError *error = NULL;
    int code = parse(&e, argc, argv);

    // after the options: GOption does not free what it replaces
    e.output = e.output != NULL ? e.output : g_strdup("edit.png");
    if (code == COMMAND_DONE) {
        run(&e, &error);
        code = command_end_pictures(&e.common, e.written, e.options.n_targets * e.count, error);
    }
    finish(&e);
    return command_end(&e.common, code);
}
