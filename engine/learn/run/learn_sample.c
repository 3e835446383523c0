/* Samples on the way: pictures of the sample prompt with the shifts as they are. */
#include "engine/learn/learn_files.h"
#include "engine/text/wording.h"
#include "engine/learn/run/learn_drawing.h"
#include "engine/learn/run/learn_run.h"
#include "engine/text/prompt.h"

static bool decode_to(const struct lesson *l, const float *latents, const char *path,
                      GError **error)
{
    g_autoptr(picture) p = learn_drawing_decode(l, latents, error);

    return p != NULL && picture_write(path, p, NULL, 0, error);
}

// [V1], [V2] ... with the words of the subjects; owned by the caller
static char *with_placeholders(const struct lesson *l, const char *text)
{
    g_autofree const char **words = g_new0(const char *, lesson_subjects(l));

    for (int i = 0; i < lesson_subjects(l); i++) {
        // NULL: its [V] stays as it is typed
        words[i] = lesson_subject(l, i)->placeholder;
    }
    return prompt_replace(text, words, lesson_subjects(l));
}

// "a photo of A and B", owned by the caller
static char *name_all(const struct lesson *l)
{
    g_autofree const char **prompts = g_new0(const char *, lesson_subjects(l));

    for (int i = 0; i < lesson_subjects(l); i++) {
        prompts[i] = lesson_subject(l, i)->prompt;
    }
    return lesson_subjects(l) > 1 ? wording_list(prompts, lesson_subjects(l))
                                  : g_strdup(prompts[0]);
}

bool learn_sample(struct learn_run *r, GError **error)
{
    const struct lesson *l = r->lesson;
    const char *wanted = l->options->sample_prompt;
    g_autofree char *prompt = wanted != NULL ? with_placeholders(l, wanted) : name_all(l);
    g_autofree char *path = learn_file_sample(l->options->output, r->step);
    g_autofree float *latents =
        g_new(float, (size_t)l->pictures->h * l->pictures->w * l->pictures->c);
    const char *const texts[] = {prompt};
    struct conditioning text = {0};
    // always the run's seed: samples differ by what was learned alone
    const struct learn_drawing drawing = {.lesson = l, .learner = r->learner, .phase = "sample"};

    const bool done = conditioner_embed(r->learner->conditioner, texts, 1, &text, error) &&
                      learn_drawing_run(&drawing, &text, l->options->seed, 1, latents, error) &&
                      decode_to(l, latents, path, error);
    conditioning_clear(&text);
    if (done && !learn_run_tell(r, PROGRESS_SAMPLE, -1, path)) {
        r->cancelled = true;
    }
    return done;
}
