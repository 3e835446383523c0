/* trace.h: what a run computed, as a file that PyTorch can be held against.
 *
 * Tensors are collected in memory and written as one safetensors file, f32, in PyTorch's order
 * (n, c, h, w). A NULL trace takes everything and keeps nothing, so callers need no conditions. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct trace;

struct trace *trace_create(void);
void trace_free(struct trace *t); // accepts NULL

/* Keeps a copy of values, [shape]; name is printf-like ("latents.%d"). A name given twice keeps the
 * later one. */
void trace_add(struct trace *t, const float *values, const int64_t *shape, int n_dims,
               const char *name, ...) G_GNUC_PRINTF(5, 6);

/* Keeps channels-last values [n, h, w, c] as [n, c, h, w]. */
void trace_add_image(struct trace *t, const float *values, int n, int h, int w, int c,
                     const char *name, ...) G_GNUC_PRINTF(7, 8);

/* One text of the file's metadata. */
void trace_note(struct trace *t, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Writes the file, whole or not at all. */
bool trace_write(const struct trace *t, const char *path, GError **error);
