/* Whether the options of editing make sense; each refusal names its option. What learning and
 * generating have, too, their own checks look at. */
#include "engine/edit/edit_check.h"

#include "engine/base/error.h"
#include "engine/generate/generate_check.h"
#include "engine/learn/learn_check.h"
#include "engine/options/option.h"
#include "engine/text/prompt.h"
#include "engine/text/prompt_parts.h"

#include <string.h>

// what only editing asks for
static bool check_words(const struct svdiff_edit_options *o, GError **error)
{
    if (o->image == NULL) {
        return error_usage(error, "Say which picture to edit with --image FILE.");
    }
    if (o->prompt == NULL || *o->prompt == '\0') {
        return error_usage(error,
                           "Describe the picture with --prompt TEXT, so that it can be learned.");
    }
    if (o->n_targets == 0) {
        return error_usage(error, "Say what to draw in the picture's place with --target TEXT.");
    }
    if (prompt_has_placeholder(o->prompt)) {
        return error_usage(
            error, "--prompt has [V]; describe the picture in plain words, no new word is learned "
                   "for it.");
    }
    return true;
}

// as a subject with one picture
static bool check_learning(const struct svdiff_edit_options *o, int unit, GError **error)
{
    const char *const images[] = {o->image, NULL};
    const struct svdiff_subject subject = {.prompt = o->prompt, .images = images};
    struct svdiff_learn_options learn = svdiff_learn_defaults(NULL);

    learn.subjects = &subject;
    learn.n_subjects = 1;
    // any: where it is kept is decided later (edit_shift.c)
    learn.output = "edit";
    return learn_check(&learn, unit, error);
}

// the rest is Stable Diffusion's: a model's own count and size are in the edit's options already
struct svdiff_generate_options edit_generate_options(const struct svdiff_edit_options *o)
{
    struct svdiff_generate_options draw = svdiff_generate_defaults(NULL);

    draw.negative = o->negative;
    draw.force = o->force;
    draw.adapters = o->adapters;
    draw.n_adapters = o->n_adapters;
    draw.embeddings = o->embeddings;
    draw.n_embeddings = o->n_embeddings;
    draw.steps = o->steps;
    draw.guidance = o->guidance;
    draw.eta = o->eta;
    draw.width = o->width;
    draw.height = o->height;
    draw.count = o->count;
    draw.preview = o->preview;
    draw.trace = o->trace;
    return draw;
}

bool edit_check(const struct svdiff_edit_options *o, int unit, GError **error)
{
    const struct svdiff_generate_options draw = edit_generate_options(o);

    // in the order in which a person would mend them
    if (!check_words(o, error) || !options_check(&options_of_edit, o, error) ||
        !generate_check(&draw, unit, error)) {
        return false;
    }
    for (int i = 0; i < o->n_targets; i++) {
        g_autoptr(GArray) parts = prompt_check("--target", o->targets[i], error)
                                      ? prompt_parts("--target", o->targets[i], error)
                                      : NULL;
        if (parts == NULL) {
            return false;
        }
    }
    return check_learning(o, unit, error);
}
