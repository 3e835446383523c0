/* learn_drawing.h: pictures that the model draws while it learns, with the generator's defaults of
 * the model and the shifts as they are. */
#pragma once

#include "engine/learn/learner.h"
#include "engine/learn/lesson.h"

struct learn_drawing {
    const struct lesson *lesson;
    const struct learner *learner;
    const struct attention_guide *guide; // may be NULL
    const char *phase;
};

// rows that drawing one picture has at each step; the text with its prompt is the last
int learn_drawing_rows(const struct lesson *l);

/* `count` pictures' latents [count, h, w, c] under a text, of the seeds from `seed` on. */
bool learn_drawing_run(const struct learn_drawing *d, const struct conditioning *text,
                       uint64_t seed, int count, float *latents, GError **error);

/* Latents [h, w, c] as a picture, owned by the caller. */
picture *learn_drawing_decode(const struct lesson *l, const float *latents, GError **error);
