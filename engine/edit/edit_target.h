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

#include "engine/generate/scene.h"
#include "engine/text/wording.h"
#include "engine/picture/picture.h"

/* The texts that a prediction is made under: the target, or what describes the picture. */
enum edit_role { EDIT_TARGET, EDIT_SOURCE, EDIT_ROLES };

struct edit_target {
    struct wording_place places[2]; // that of the picture's subject first; texts NULL: none named
    bool moves;                     // the picture is put there
    picture *masks[2];              // of the places
    char *source;                   // what of the description acts in the subject's place
    char *everywhere[EDIT_ROLES];
    struct svdiff_region regions[EDIT_ROLES][2]; // of the above
    int n_regions;
};

/* The target of a picture that `prompt` describes. To be finished in any case. */
bool edit_target_open(struct edit_target *t, const char *prompt, const char *target,
                      GError **error);
void edit_target_finish(struct edit_target *t); // accepts a zeroed one

/* Borrowed from t: subject 0 is what was learned of the picture. */
struct scene_texts edit_target_texts(const struct edit_target *t, enum edit_role role,
                                     const char *negative);

bool edit_target_has_places(const struct edit_target *t);

/* The picture with its subject in the target's half, as large as the picture is. alpha: which part
 * of it is the subject; NULL: what stands out (learn_find.h). Owned by the caller, NULL with an
 * error.
 */
picture *edit_target_move(const struct edit_target *t, const picture *image, const picture *alpha,
                          GError **error);
