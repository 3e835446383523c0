/* judge.h: what makes vectors of pictures and texts, whose cosines say how alike these are.
 *
 *   a CLIP model       of pictures and texts (clip.h)
 *   an autoencoder     of pictures alone: of each channel of the latents the mean and the deviation over the middle
 *                      half of the picture's sides. That is about colours and how they are mixed, not about what is
 *                      seen: of the 30 things that ship two pictures of one thing are more alike than two of two
 *                      things 78 times in 100, where chance has 50 (tests/peers/latent_alignment.py) */
#pragma once

#include "engine/picture/picture.h"
#include "engine/session/session.h"

struct judge;

/* Computes in f32 on the device that the options ask for. clip: the model's folder; NULL: the autoencoder
 * of s, which must outlive the judge. Owned by the caller; NULL with a sentence. */
struct judge *judge_create(const struct svdiff_options *o, const char *clip, svdiff *s,
                           GError **error);
void judge_free(struct judge *j); // accepts NULL

// values of a vector, and whether texts have one
int judge_width(const struct judge *j);
bool judge_reads(const struct judge *j);

/* Vectors [judge_width]. What of a text is too long is told through the options' warn. */
bool judge_picture(const struct judge *j, const picture *p, float *out, GError **error);
bool judge_text(const struct judge *j, const char *text, float *out, GError **error);
