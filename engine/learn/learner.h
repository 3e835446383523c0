/* learner.h: the model that learns: its networks, and what of their weights learns, by a method
 * (methods/method.h); called shifts here, as SVDiff's are.
 *
 * The networks compute with their weights as the shifts were when learner_follow was called last;
 * between two calls of learner_set_acting the UNet is the model's own. */
#pragma once

#include "engine/session/conditioner.h"
#include "engine/subject/bake.h"
#include "engine/tape/parameters.h"

struct lesson;
struct model_spectrum;

struct learner {
    svdiff *session;
    struct bake bake; // what the weights are when learning begins
    struct unet *unet;
    struct conditioner *conditioner;
    struct parameters *parameters; // NULL before shifts are attached
    bool text_learns;              // else what texts become does not change
};

/* Opens the networks, without shifts; the lesson's adapters are in their weights, its words in the
 * vocabulary. Owned by the caller, NULL with an error. */
struct learner *learner_open(svdiff *s, const struct lesson *lesson, GError **error);
void learner_free(struct learner *l); // accepts NULL
typedef struct learner owned_learner;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_learner, learner_free)

/* Gives the weights that the lesson's options name what learns of them, which changes nothing yet; it acts. Where
 * weights become their factors that is layer by layer, as the spectra come; spectrum NULL: nothing asks for it. */
bool learner_attach(struct learner *l, const struct lesson *lesson, struct model_spectrum *spectrum,
                    GError **error);

/* Makes the weights what the shifts are now. */
void learner_follow(struct learner *l);

/* Whether the UNet's shifts act: not, and it is as it was before it learned. Whoever stops them lets
 * them act again. */
void learner_set_acting(struct learner *l, bool acting);
