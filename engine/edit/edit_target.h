/* edit_target.h: one text that the picture is drawn from again.
 *
 * A target that names two places,
 *   a photo of a fox on the left and a lion on the right in the snow
 * puts something beside the picture's subject. Which of the two that is, the description says: the
 * one that shares more words with it; with equally many the target is one like any other. Then
 *   - the picture is put into its subject's half, smaller, before anything begins with it, unless
 *     its description says already where it is
 *   - each of the two texts acts in its own half alone, the rest of the target everywhere
 *   - what was learned of the picture acts in its half alone; the other half is the model's own. */
#pragma once

#include "engine/generate/regions.h"
#include "engine/learn/mixing/learn_wording.h"
#include "engine/picture/picture.h"

/* The texts that a prediction is made under: the rows follow each other in what is embedded. */
enum edit_role { EDIT_TARGET, EDIT_SOURCE, EDIT_ROLES };

struct edit_target {
    struct wording_place places[2]; // that of the picture's subject first; texts NULL: none named
    bool moves;                     // the picture is put there
    struct regions regions;         // of the places; none without
    int row[EDIT_ROLES];            // of its first text among all that are embedded
    int texts;                      // of each role: 1, and one for each place
};

/* The target of a picture that `prompt` describes, for latents of h x w. Its texts are added to
 * `texts` (owned strings): the target's, then those of the description. To be finished in any
 * case. */
bool edit_target_open(struct edit_target *t, const char *prompt, const char *target, int h, int w,
                      GPtrArray *texts, GError **error);
void edit_target_finish(struct edit_target *t); // accepts a zeroed one

bool edit_target_has_places(const struct edit_target *t);

/* The picture with its subject in the target's half, as large as the picture is. alpha: which part
 * of it is the subject; NULL: what stands out (learn_find.h). Owned by the caller, NULL with an
 * error.
 */
picture *edit_target_move(const struct edit_target *t, const picture *image, const picture *alpha,
                          GError **error);
