/* Whether the options of editing make sense; each refusal names its option. What learning and
 * generating have, too, their own checks look at. */
#include "engine/edit/edit_check.h"

#include "engine/generate/generate_check.h"
#include "engine/learn/learn_check.h"
#include "engine/text/prompt.h"

#include <string.h>

static bool refuse(const char *sentence, GError **error)
{
    g_set_error_literal(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, sentence);
    return false;
}

static bool check_words(const struct svdiff_edit_options *o, GError **error)
{
    if (o->image == NULL) {
        return refuse("Say which picture to edit with --image FILE.", error);
    }
    if (o->prompt == NULL) {
        return refuse("Describe the picture with --prompt TEXT, so that it can be learned.", error);
    }
    if (o->n_targets == 0) {
        return refuse("Say what to draw in the picture's place with --target TEXT.", error);
    }
    if (prompt_has_placeholder(o->prompt)) {
        return refuse(
            "--prompt has [V]; describe the picture in plain words, no new word is learned "
            "for it.",
            error);
    }
    return true;
}

// as a subject with one picture
static bool check_learning(const struct svdiff_edit_options *o, int unit, GError **error)
{
    const char *const images[] = {o->image, NULL};
    const struct svdiff_subject subject = {.prompt = o->prompt, .images = images};
    struct svdiff_learn_options learn = svdiff_learn_defaults(NULL);

    if (o->learn_steps < 1 || o->learn_steps > 1000000) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--learn-steps is %d; it can be from 1 to 1000000.", o->learn_steps);
        return false;
    }
    learn.subjects = &subject;
    learn.n_subjects = 1;
    learn.output = "edit";
    learn.rate = o->rate;
    learn.rate_1d = o->rate_1d;
    return learn_check(&learn, unit, error);
}

struct svdiff_generate_options edit_generate_options(const struct svdiff_edit_options *o)
{
    struct svdiff_generate_options draw = svdiff_generate_defaults(NULL);

    draw.negative = o->negative;
    draw.force = o->force;
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

static bool check_target(const struct svdiff_edit_options *o, const char *target, int unit,
                         GError **error)
{
    struct svdiff_generate_options draw = edit_generate_options(o);

    draw.prompt = target;
    if (generate_check(&draw, unit, error)) {
        return true;
    }
    if (!g_utf8_validate(target, -1, NULL)) {
        g_clear_error(error);
        return refuse("The text of --target is not valid UTF-8; type it in a UTF-8 terminal.",
                      error);
    }
    return false;
}

bool edit_check(const struct svdiff_edit_options *o, int unit, GError **error)
{
    if (!check_words(o, error)) {
        return false;
    }
    if (!(o->noise >= 0 && o->noise <= 1)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--noise is %g; it can be from 0 to 1.", o->noise);
        return false;
    }
    if (o->refine < 0 || o->refine > SVDIFF_REFINE_MAX) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--refine is %d; it can be from 0 to %d.", o->refine, SVDIFF_REFINE_MAX);
        return false;
    }
    if (o->fit < 0 || o->fit > SVDIFF_FIT_MAX) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "--fit is %d; it can be from 0 to %d.",
                    o->fit, SVDIFF_FIT_MAX);
        return false;
    }
    for (int i = 0; i < o->n_targets; i++) {
        if (!check_target(o, o->targets[i], unit, error)) {
            return false;
        }
    }
    return check_learning(o, unit, error);
}
