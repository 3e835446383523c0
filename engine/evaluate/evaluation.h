/* evaluation.h: pictures judged one after the other, as they are drawn or read.
 *
 *   evaluation_reference(&e, p, &error)       each picture of the subject itself
 *   evaluation_begin(&e, "fox", true, NAN)    a point
 *   evaluation_text(&e, "a fox", &error)      of the pictures that follow
 *   evaluation_picture(&e, p, "1", &error)
 *   evaluation_end(&e)
 *
 * A picture's alignment with its text is the cosine of the two vectors (CLIP-T), that with the subject the
 * mean of the cosines with all references (CLIP-I, as Ruiz and others measure DreamBooth, 2023). */
#pragma once

#include "engine/evaluate/alignment.h"
#include "engine/evaluate/judge.h"

struct evaluation {
    const struct judge *judge; // borrowed
    struct alignment found;
    GArray *references; // float [n, width]
    char *text;         // of the pictures that follow
    float *text_vector; // the same; NULL where texts have none
    guint point;        // at hand
};

void evaluation_init(struct evaluation *e, const struct judge *judge);
void evaluation_clear(struct evaluation *e); // accepts a zeroed one

bool evaluation_reference(struct evaluation *e, const picture *p, GError **error);
/* Points of one name and place are one, if they were named. */
void evaluation_begin(struct evaluation *e, const char *name, bool named, double place);
bool evaluation_text(struct evaluation *e, const char *text, GError **error);
// name: what it is called in the list
bool evaluation_picture(struct evaluation *e, const picture *p, const char *name, GError **error);
void evaluation_end(struct evaluation *e);
