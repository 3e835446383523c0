/* weight_scale.h: the scale of weights that are stored in 8 bits.
 *
 *   weight[row, column] = stored[row, column] * scale[row / rows of a block, column / columns]
 *
 * Programs that write such files put the scale beside the weight, under one of several names: one
 * value, one a row, or one a block of rows and columns. Weights without one are what is stored. */
#pragma once

#include "engine/model/weight_files.h"

#include <stdbool.h>

struct weight_scale {
    float *values;             // NULL: none
    int64_t row;               // values of a row of the weight
    int64_t n_columns;         // blocks beside each other
    int64_t rows, columns;     // of a block
    struct weight_place place; // where it is stored
};

/* Finds and reads the scale of a stored weight; scale->values stays NULL for weights that are not
 * stored in 8 bits and for those without one. False with a sentence for a scale that does not fit
 * its weight or is no finite number. */
bool weight_scale_find(const struct weight_files *weights, const struct weight_place *weight,
                       struct weight_scale *scale, GError **error);
void weight_scale_finish(struct weight_scale *scale);

/* Multiplies n values from `first` on of the weight. */
void weight_scale_apply(const struct weight_scale *scale, int64_t first, int64_t n, float *values);

/* Whether a tensor is about weights in 8 bits, by its name: scales, marks, and what others do to
 * what the weights are multiplied with. Other types of weights have no use for it. */
bool weight_scale_is_part(const char *name);
