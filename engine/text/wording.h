/* wording.h: prompts for several subjects in one picture, put together from theirs.
 *
 * A prompt is a lead, "a photo of ", and what the picture shows, "a [V] dog". The lead ends behind
 * the first "of" that follows a word for a picture; without one there is none. Prompts of several
 * begin with the first one's lead and name them in the order of the picture:
 *   a photo of a [V1] dog on the left and a [V2] cat on the right */
#pragma once

#include "engine/picture/layout.h"

#include <stddef.h>

/* What of a prompt names its subject: a pointer into it. */
const char *wording_subject(const char *prompt);

/* How many wordings there are for two subjects in a layout. */
int wording_count(enum layout layout);

/* Wording `which`, from 0, for the prompts of the first and the second. Owned by the caller. */
char *wording_pair(enum layout layout, int which, const char *first, const char *second);

/* "a photo of A on the left": the prompt with one of the halves' places behind it. Owned by the
 * caller. */
char *wording_at(const char *prompt, enum place place);

/* Whether a prompt says that something is in a half. */
bool wording_has_place(const char *prompt);

/* Where a prompt says that something is: "A on the left", of which the first `length` bytes are A.
 * The text is owned by the caller. */
struct wording_place {
    enum place place;
    char *text;
    size_t length;
};

/* The two places of a prompt such as "a photo of A on the left and B on the right in the snow", in
 * its order; those at the top and at the bottom, too. False when it has none such. */
bool wording_two_places(const char *prompt, struct wording_place found[2]);

/* "a photo of A, B and C"; n >= 1. Owned by the caller. */
char *wording_list(const char *const *prompts, int n);
