/* loss_scale.h: what a loss is multiplied by before its way back, so that gradients which are cells of
 * float16 are neither too small for it nor too large (Micikevicius et al. 2018). It follows them by the
 * rules of torch.amp.GradScaler:
 *
 *   a step whose gradient has a value that is no number is left out, and the scale is halved
 *   after LOSS_SCALE_GROWS steps in a row that were taken it is doubled
 *
 * Cells with the range of a float need none: the scale is 1 and stays. */
#pragma once

#include "kernels/kernels.h"

#define LOSS_SCALE_GROWS 2000

struct loss_scale {
    double value; // a power of two
    int good;     // steps that were taken since it changed
    int skipped;  // steps that were left out, in all
    bool follows;
};

struct loss_scale loss_scale_begin(enum kernels_type cells);

/* A step was taken. */
void loss_scale_took(struct loss_scale *s);

/* The gradient of a step is no number. True where it is left out; false where no smaller scale would
 * help, and learning has failed. */
bool loss_scale_skips(struct loss_scale *s);
