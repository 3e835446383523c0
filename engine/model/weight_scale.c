/* The scale of weights that are stored in 8 bits; see weight_scale.h. */
#include "engine/model/weight_scale.h"

#include "engine/base/error.h"

#include <string.h>

#define WEIGHT ".weight"
#define BLOCK  128 // of those who write blocks; the last one may be cut off

// behind the name of the weight, and in place of WEIGHT
static const char *const behind[] = {"_scale", "_scale_inv", ".scale"};
static const char *const instead[] = {".scale_weight", ".scale"};

// the types that cannot hold a weight without a scale
static bool is_short(enum dtype type)
{
    return type == DTYPE_F8_E4M3 || type == DTYPE_F8_E5M2;
}

/* The scale of the weight `name`: several programs write such files, each under a name of its own.
 * A tensor that does not end in WEIGHT can only have one behind its name. */
static bool find_place(const struct weight_files *weights, const char *name,
                       struct weight_place *place)
{
    const size_t length = strlen(name), end = strlen(WEIGHT);
    // of the name without WEIGHT; the whole length where there is none
    const size_t stem = g_str_has_suffix(name, WEIGHT) ? length - end : length;

    for (size_t i = 0; i < G_N_ELEMENTS(behind); i++) {
        g_autofree char *key = g_strconcat(name, behind[i], NULL);
        if (weight_files_find(weights, key, place)) {
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(instead) && stem < length; i++) {
        g_autofree char *key = g_strdup_printf("%.*s%s", (int)stem, name, instead[i]);
        if (weight_files_find(weights, key, place)) {
            return true;
        }
    }
    return false;
}

// how long a block is of which there are so many along a side; 0: none has this length
static int64_t block_length(int64_t side, int64_t blocks)
{
    if (blocks == 0) {
        return 0;
    }
    return blocks == (side + BLOCK - 1) / BLOCK ? BLOCK : side % blocks == 0 ? side / blocks : 0;
}

// sets the lengths of blocks; false when scale and weight do not fit
static bool fit(const struct safetensors_tensor *weight, const struct safetensors_tensor *stored,
                struct weight_scale *scale)
{
    const int64_t n_rows = weight->n_dims > 0 ? weight->shape[0] : 1;

    // one value for all, until it is found to be more: a block as large as the weight
    scale->row = n_rows > 0 ? weight->values / n_rows : 0;
    scale->rows = n_rows;
    scale->columns = scale->row;
    scale->n_columns = 1;
    // an empty weight would be divided by below
    if (weight->values == 0 || stored->values == 1) {
        return weight->values > 0;
    }
    // [rows] or [rows, 1]: a factor a row
    if (stored->values == n_rows && stored->shape[0] == n_rows) {
        scale->rows = 1;
        return true;
    }
    // blocks are of matrices alone
    if (stored->n_dims != 2 || weight->n_dims != 2 || stored->values == 0) {
        return false;
    }
    scale->n_columns = stored->shape[1];
    scale->rows = block_length(n_rows, stored->shape[0]);
    scale->columns = block_length(scale->row, stored->shape[1]);
    return scale->rows > 0 && scale->columns > 0;
}

// in f32, whatever the scale is stored as; owned by scale
static bool read_values(const struct safetensors_tensor *weight, struct weight_scale *scale,
                        GError **error)
{
    const struct weight_place *place = &scale->place;

    scale->values = g_new(float, place->tensor->values);
    if (!safetensors_read_f32(place->file, place->tensor, scale->values, error)) {
        return false;
    }
    if (dtype_finite(scale->values, (size_t)place->tensor->values)) {
        return true;
    }
    return error_failed(error,
                        "%s: tensor %s, the scale of %s, has values that are infinite or no "
                        "numbers (NaN); the model is damaged, get another copy.",
                        safetensors_path(place->file), place->tensor->name, weight->name);
}

bool weight_scale_find(const struct weight_files *weights, const struct weight_place *weight,
                       struct weight_scale *scale, GError **error)
{
    *scale = (struct weight_scale){0};
    // the other types may have a tensor of such a name that means something else
    if (!is_short(weight->tensor->dtype) ||
        !find_place(weights, weight->tensor->name, &scale->place)) {
        return true;
    }
    const struct safetensors_tensor *stored = scale->place.tensor;
    if (!fit(weight->tensor, stored, scale)) {
        g_autofree char *is = safetensors_shape_text(stored->shape, stored->n_dims);
        g_autofree char *of = safetensors_shape_text(weight->tensor->shape, weight->tensor->n_dims);
        return error_failed(error,
                            "%s: tensor %s has shape %s, which is no scale of %s of shape %s; get "
                            "the model in 16 bits.",
                            safetensors_path(scale->place.file), stored->name, is,
                            weight->tensor->name, of);
    }
    if (!read_values(weight->tensor, scale, error)) {
        weight_scale_finish(scale);
        return false;
    }
    return true;
}

void weight_scale_finish(struct weight_scale *scale)
{
    g_clear_pointer(&scale->values, g_free);
}

void weight_scale_apply(const struct weight_scale *scale, int64_t first, int64_t n, float *values)
{
    // the factor is the stretch's own: no division for each value
    const struct weight_scale *s = scale;

    if (s->values == NULL) {
        return;
    }
    for (int64_t i = 0; i < n;) { // a stretch of one row in one block at a time
        const int64_t row = (first + i) / s->row, column = (first + i) % s->row;
        const int64_t left = MIN(s->columns - column % s->columns, s->row - column);
        const int64_t end = MIN(n, i + left);
        const float factor = s->values[row / s->rows * s->n_columns + column / s->columns];
        for (; i < end; i++) {
            values[i] *= factor;
        }
    }
}

bool weight_scale_is_part(const char *name)
{
    static const char *const others[] = {"scaled_fp8", ".scale_input", ".input_scale",
                                         ".comfy_quant"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (g_str_has_suffix(name, others[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(behind); i++) {
        // the whole end, since ".scale" alone may be a norm's
        g_autofree char *end = g_strconcat(WEIGHT, behind[i], NULL);
        if (g_str_has_suffix(name, end)) {
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(instead); i++) {
        if (g_str_has_suffix(name, instead[i])) {
            return true;
        }
    }
    return false;
}
