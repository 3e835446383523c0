/* svdiff edit: one picture, drawn again from other prompts. */
#include "engine/command/adapter_option.h"
#include "engine/command/pictures.h"

#include "engine/edit/edit_check.h"
#include "engine/edit/edit_shift.h"
#include "engine/learn/learn_files.h"

struct edit {
    struct pictures pictures;
    struct svdiff_edit_options options;
    struct adapter_options adapters;
};

static const char summary[] =
    "Learns one picture with its description and draws it from other prompts. What was learned\n"
    "stays beside the picture, so that the next edit begins at once:\n\n"
    "  svdiff edit --image cat.jpg --prompt 'a photo of a cat' --target 'a cat in the snow'\n\n"
    "For 'a cat on the left and a dog on the right' (or at the top, at the bottom) the picture is\n"
    "put on the left, smaller, and the dog comes beside it.";

/* ---- options ---- */

// what was given on top of the model's defaults, or with s NULL on top of Stable Diffusion's
static bool take_options(struct edit *e, const svdiff *s, GError **error)
{
    const struct given *given = &e->pictures.common.given;
    struct svdiff_edit_options *o = &e->options;

    *o = svdiff_edit_defaults(s);
    pictures_set_seed(&e->pictures, &o->seed);
    // sets others, which may be given, too
    if (!given_apply_one(given, "structure", o, error)) {
        return false;
    }
    svdiff_edit_structure(o, o->structure);
    if (!given_apply(given, o, error)) {
        return false;
    }
    o->n_targets = o->targets != NULL ? (int)g_strv_length((char **)o->targets) : 0;
    o->adapters = adapter_options_list(&e->adapters);
    o->n_adapters = adapter_options_count(&e->adapters);
    o->embeddings = adapter_options_words(&e->adapters, &o->n_embeddings);
    e->pictures.common.wanted = o->n_targets * o->count;
    return true;
}

// what is learned of the picture is written, and then renamed, or is there and read
static bool check_shift(output_guard *guard, const char *shift, GError **error)
{
    if (g_file_test(shift, G_FILE_TEST_EXISTS)) {
        output_guard_reads(guard, shift);
        return true;
    }
    g_autofree char *part = edit_shift_part(shift);
    // learning writes its own files beside the one that it makes
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
    g_autoptr(output_guard) guard = command_guard(e->pictures.session);

    output_guard_reads(guard, o->image);
    adapter_options_guard(&e->adapters, guard);
    return (!edit_shift_named(o) || check_shift(guard, o->shift, error)) &&
           pictures_check_overwrites(&e->pictures, guard, o->steps, error);
}

/* ---- pictures ---- */

// as a generated picture's, with what only an edit has behind
static char *describe(void *user, const svdiff *s, int index, uint64_t seed, const picture *p)
{
    const struct svdiff_edit_options *o = &((const struct edit *)user)->options;
    char number[3][G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *source = g_path_get_basename(o->image);
    g_autofree char *adapters = adapter_options_text(o->adapters, o->n_adapters, ~UINT64_C(0));
    g_autofree char *files = adapter_options_files(s->options.vae, o->embeddings, o->n_embeddings);

    return g_strdup_printf(
        "%s%s\nNegative prompt: %s\nSteps: %d, Sampler: DDIM, CFG scale: %s, Seed: "
        "%" G_GUINT64_FORMAT
        ", Size: %dx%d, Model hash: %.12s%s, Edited: %s, Described as: %s, Inversion: %s, Eta: %s, "
        "Noise: %s, Refined: %d, Fitted: %d, Precision: %s, Device: %s, Version: svdiff %s",
        o->targets[index / o->count], adapters, o->negative, o->steps,
        g_ascii_formatd(number[0], sizeof number[0], "%.6g", o->guidance), seed, p->width,
        p->height, s->hashes.base, files, source, o->prompt, o->invert ? "yes" : "no",
        g_ascii_formatd(number[1], sizeof number[1], "%.6g", o->eta),
        g_ascii_formatd(number[2], sizeof number[2], "%.6g", o->noise), o->refine, o->fit,
        session_precision(s), s->device, SVDIFF_VERSION);
}

// parts of the texts that look like more than words
static void tell_prompts(struct edit *e)
{
    static const char missing[] = "an edit is of the picture alone";

    command_tell_prompt(&e->pictures.common, "prompt", e->options.prompt, NULL,
                        true); // edit_check.h refuses [V]
    command_tell_prompt(&e->pictures.common, "negative prompt", e->options.negative, missing,
                        false);
    for (int i = 0; i < e->options.n_targets; i++) {
        command_tell_prompt(&e->pictures.common, "target", e->options.targets[i], missing, false);
    }
}

static bool run(void *command, char *const *words, GError **error)
{
    struct edit *e = command;

    // what the command line alone can say first, then files, then the model
    e->pictures.describe = describe;
    e->adapters = adapter_options_take(&e->pictures.common.given, true);
    if (!pictures_check_usage(&e->pictures, error) || !take_options(e, NULL, error) ||
        !edit_check(&e->options, 8, error) || !pictures_check_files(&e->pictures, error)) {
        return false;
    }
    svdiff *s = pictures_open(&e->pictures, error);
    if (s == NULL || !take_options(e, s, error) || !check_overwrites(e, error)) {
        return false;
    }
    tell_prompts(e);
    pictures_tell_chosen(&e->pictures);
    return svdiff_edit(s, &e->options, pictures_take, command_progress, e, error);
}

static void finish(void *command)
{
    struct edit *e = command;

    pictures_close(&e->pictures);
    adapter_options_finish(&e->adapters);
}

const struct command_kind command_edit = {.word = "edit",
                                          .purpose =
                                              "learn one picture and draw it from other prompts",
                                          .summary = summary,
                                          .size = sizeof(struct edit),
                                          .table = &options_of_edit,
                                          .job = true,
                                          .opening = COMMAND_RUNS,
                                          .run = run,
                                          .finish = finish};
