/* dialog_target.h: the image that a dialog works on, with the layers that are chosen in it.
 *
 * The dialog stays open while the image is worked on, so that what it was called with may be
 * another thing, or gone, when a run is asked for. */
#pragma once

#include "plugin/call.h"

struct dialog_target {
    struct call call; // its image and layers; the layers are owned
    const struct procedure *procedure;
};

/* What the procedure was called with. */
void dialog_target_init(struct dialog_target *t, const struct procedure *p,
                        const struct call *chosen);
void dialog_target_clear(struct dialog_target *t);

/* Takes another image, or the same again, with these layers. */
void dialog_target_set(struct dialog_target *t, host_image image, const host_item *layers, int n);

/* Takes the layers that are chosen in the image now. false with a sentence when the image is
 * closed. */
bool dialog_target_update(struct dialog_target *t, GError **error);
