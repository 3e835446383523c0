/* Whether the options of learning make sense by themselves; each refusal names its option. */
#include "engine/learn/learn_check.h"

#include "engine/base/error.h"
#include "engine/text/prompt.h"

#include <math.h>
#include <string.h>

#define PROMPT_MAX 10000 // characters

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, sentence);
    return false;
}

static bool check_prompt(const char *option, const char *text, bool may_be_empty, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        return refuse(error, "The text of %s is not valid UTF-8; type it in a UTF-8 terminal.",
                      option);
    }
    if (g_utf8_strlen(text, -1) > PROMPT_MAX) {
        return refuse(error, "The text of %s has more than %d characters; shorten it.", option,
                      PROMPT_MAX);
    }
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    if (*stripped == '\0' && !may_be_empty) {
        return refuse(error,
                      "The text of %s is empty; say what the pictures show, such as "
                      "--prompt 'a photo of a [V] dog'.",
                      option);
    }
    return true;
}

// number: from 1
static bool check_subject(const struct svdiff_subject *s, int number, GError **error)
{
    if (!check_prompt("--prompt", s->prompt, false, error) ||
        (s->class_prompt != NULL &&
         !check_prompt("--class-prompt", s->class_prompt, true, error))) {
        return false;
    }
    const int foreign = prompt_foreign_placeholder(s->prompt, number);
    if (foreign > 0) {
        return refuse(error,
                      "The --prompt '%s' is that of subject %d but has [V%d]; write [V] or [V%d] "
                      "in it.",
                      s->prompt, number, foreign, number);
    }
    if (s->images == NULL || s->images[0] == NULL) {
        return refuse(error, "The subject '%s' has no picture; give one with --image FILE.",
                      s->prompt);
    }
    return true;
}

static bool check_range(const char *option, double value, double low, double high, GError **error)
{
    if (isfinite(value) && value >= low && value <= high) {
        return true;
    }
    return refuse(error, "%s is %g; it can be from %.10g to %.10g.", option, value, low, high);
}

// regions belong to mixed pictures, and each of the two has to have its own
static bool check_regions(const struct svdiff_subject *subjects, int n_subjects, GError **error)
{
    const struct svdiff_subject *with = NULL, *without = NULL;

    for (int i = 0; i < n_subjects; i++) {
        *(subjects[i].region != NULL ? &with : &without) = &subjects[i];
    }
    if (with != NULL && n_subjects == 1) {
        return refuse(error,
                      "--region %s says where '%s' goes beside another subject, but there is none; "
                      "leave it out, or begin a second subject with --prompt.",
                      with->region, with->prompt);
    }
    if (with != NULL && without != NULL) {
        return refuse(error,
                      "'%s' has a --region and '%s' has none; give one to each subject or to "
                      "none.",
                      with->prompt, without->prompt);
    }
    return true;
}

static bool check_subjects(const struct svdiff_subject *subjects, int n_subjects,
                           const char *output, GError **error)
{
    if (n_subjects == 0) {
        return refuse(error, "There is nothing to learn; say it with --prompt TEXT --image FILE.");
    }
    for (int i = 0; i < n_subjects; i++) {
        if (!check_subject(&subjects[i], i + 1, error)) {
            return false;
        }
    }
    if (!check_regions(subjects, n_subjects, error)) {
        return false;
    }
    if (output == NULL || *output == '\0') {
        return refuse(error, "Say where the subject is to be written with --output FILE.");
    }
    return true;
}

bool learn_check(const struct svdiff_learn_options *o, int factor, GError **error)
{
    if (!check_subjects(o->subjects, o->n_subjects, o->output, error)) {
        return false;
    }
    if (o->size % factor != 0 || o->size < 8 * factor || o->size > 4096) {
        return refuse(error, "--size is %d; it can be from %d to 4096 and must be divisible by %d.",
                      o->size, 8 * factor, factor);
    }
    if (o->sample_prompt != NULL &&
        !check_prompt("--sample-prompt", o->sample_prompt, true, error)) {
        return false;
    }
    return check_range("--steps", o->steps, 1, 1e6, error) &&
           check_range("--learning-rate", o->rate, 0, 10, error) &&
           check_range("--learning-rate-1d", o->rate_1d, 0, 10, error) &&
           check_range("--placeholder-rate", o->placeholder_rate, 0, 10, error) &&
           check_range("--warm-up", o->warm_up, 0, 1e6, error) &&
           check_range("--min-snr", o->min_snr, 0, 1e6, error) &&
           check_range("--weight-decay", o->weight_decay, 0, 1e3, error) &&
           check_range("--clip", o->clip, 0, 1e9, error) &&
           check_range("--accumulate", o->accumulate, 1, 1024, error) &&
           check_range("--batch", o->batch, 1, 64, error) &&
           check_range("--mask-weight", o->mask_weight, 0, 1, error) &&
           check_range("--cut-mix", o->cut_mix, 0, 1, error) &&
           check_range("--unmix-weight", o->unmix_weight, 0, 1e6, error) &&
           check_range("--unmix-grid", o->unmix_grid, 1, 4096, error) &&
           check_range("--apart-pictures", o->apart_pictures, 0, 1000, error) &&
           check_range("--prior-weight", o->prior_weight, 0, 1e3, error) &&
           check_range("--prior-images", o->prior_images, 0, 10000, error) &&
           check_range("--validate-every", o->validate_every, 0, 1e6, error) &&
           check_range("--sample-every", o->sample_every, 0, 1e6, error) &&
           check_range("--checkpoint-every", o->checkpoint_every, 0, 1e6, error);
}
