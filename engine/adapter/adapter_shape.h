/* adapter_shape.h: whether what a file says of one module is whole and fits the model's weight. */
#pragma once

#include "engine/adapter/adapter_file.h"

/* Sets the change's kind from the parts that are there. False with a sentence that names the part
 * that is missing. */
bool adapter_shape_settle(struct adapter_change *c, const char *path, GError **error);

/* The rank of its factors; 0: it has none. */
int64_t adapter_shape_rank(const struct adapter_change *c);

/* Whether the parts fit each other and the weight; of rotations sets the side of their blocks. False
 * with a sentence, which for weights that read the text says which family of models the file is for.
 */
bool adapter_shape_check(struct adapter_change *c, const char *path, GError **error);

/* Rows and columns of a part, [rows, columns ...]: a single value is [1, 1]. */
int64_t adapter_shape_rows(const struct safetensors_tensor *t);
int64_t adapter_shape_columns(const struct safetensors_tensor *t);
