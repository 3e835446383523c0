/* Whether the options of learning make sense by themselves; each refusal names its option. */
#include "engine/learn/learn_check.h"

#include "engine/adapter/adapter_list.h"
#include "engine/base/error.h"
#include "engine/learn/methods/method.h"
#include "engine/options/option.h"
#include "engine/plot/plot.h"
#include "engine/text/prompt.h"

#include <string.h>

// a class may be nothing in particular, what is learned may not
static bool check_prompt(const char *option, const char *text, bool may_be_empty, GError **error)
{
    if (!prompt_check(option, text, error)) {
        return false;
    }
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    if (*stripped == '\0' && !may_be_empty) {
        return error_usage(error,
                           "The text of %s is empty; say what the pictures show, such as "
                           "--prompt 'a photo of a [V] dog'.",
                           option);
    }
    return true;
}

// a caption may be empty: the prompt says it all
static bool check_captions(const struct svdiff_subject *s, int number, GError **error)
{
    for (int i = 0; s->captions != NULL && s->images[i] != NULL; i++) {
        if (s->captions[i] == NULL) {
            continue;
        }
        if (!check_prompt("--caption", s->captions[i], true, error)) {
            return false;
        }
        const int foreign = prompt_foreign_placeholder(s->captions[i], number);
        if (foreign > 0) {
            return error_usage(
                error,
                "The --caption '%s' is that of a picture of subject %d but has [V%d]; "
                "write [V] in it.",
                s->captions[i], number, foreign);
        }
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
    // the number of a [V] is that of its subject
    const int foreign = prompt_foreign_placeholder(s->prompt, number);
    if (foreign > 0) {
        return error_usage(
            error,
            "The --prompt '%s' is that of subject %d but has [V%d]; write [V] or [V%d] "
            "in it.",
            s->prompt, number, foreign, number);
    }
    if (s->images == NULL || s->images[0] == NULL) {
        return error_usage(error, "The subject '%s' has no picture; give one with --image FILE.",
                           s->prompt);
    }
    return check_captions(s, number, error);
}

// regions belong to mixed pictures, and each of the two has to have its own
static bool check_regions(const struct svdiff_subject *subjects, int n_subjects, GError **error)
{
    const struct svdiff_subject *with = NULL, *without = NULL;

    for (int i = 0; i < n_subjects; i++) {
        // one of each kind is enough for a sentence
        *(subjects[i].region != NULL ? &with : &without) = &subjects[i];
    }
    if (with != NULL && n_subjects == 1) {
        return error_usage(
            error,
            "--region %s says where '%s' goes beside another subject, but there is none; "
            "leave it out, or begin a second subject with --prompt.",
            with->region, with->prompt);
    }
    if (with != NULL && without != NULL) {
        return error_usage(error,
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
        return error_usage(error,
                           "There is nothing to learn; say it with --prompt TEXT --image FILE.");
    }
    for (int i = 0; i < n_subjects; i++) {
        if (!check_subject(&subjects[i], i + 1, error)) {
            return false;
        }
    }
    // regions speak of several subjects, so all have been looked at
    if (!check_regions(subjects, n_subjects, error)) {
        return false;
    }
    if (output == NULL || *output == '\0') {
        return error_usage(error, "Say where the subject is to be written with --output FILE.");
    }
    return true;
}

// in the order of the command line's own: subjects, sizes, then all numbers
// a batch has one shape, and so have pictures that are mixed, and those that the model makes of a class
static bool check_buckets(const struct svdiff_learn_options *o, GError **error)
{
    if (o->buckets && o->n_subjects > 1) {
        return error_usage(error,
                           "--buckets is for one subject, since pictures of several are mixed "
                           "as squares; leave it out.");
    }
    return !o->buckets || o->prior_images == 0 ||
           error_usage(error,
                       "--buckets does not go with --prior-images, which are squares; leave one "
                       "of them out.");
}

bool learn_check(const struct svdiff_learn_options *o, int factor, GError **error)
{
    const struct option *size = option_find(&options_of_learn, "size");

    return check_subjects(o->subjects, o->n_subjects, o->output, error) &&
           option_check_pixels(size, o->size, factor, error) &&
           (o->sample_prompt == NULL ||
            check_prompt("--sample-prompt", o->sample_prompt, true, error)) &&
           (o->plot == NULL || plot_check_name(o->plot, error)) &&
           adapter_check_strengths(o->adapters, o->n_adapters, error) &&
           options_check(&options_of_learn, o, error) && check_buckets(o, error) &&
           (method_of(o)->check == NULL || method_of(o)->check(o, error));
}
