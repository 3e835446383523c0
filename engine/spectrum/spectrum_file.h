/* spectrum_file.h: the file that holds the spectra of one model.
 *
 * A safetensors file of f32 with, for each weight NAME [m, n] and r = min(m, n),
 *
 *   NAME.u [m, r]   NAME.s [r]   NAME.vt [r, n]
 *
 * a tensor `checksums` [weights, 3, 4] with a 64-bit checksum of each of the three as four 16-bit
 * numbers, lowest first, and in the metadata `format` (svdiff-spectra), `version` (1) and `key`. */
#pragma once

#include "engine/spectrum/spectrum.h"

struct spectrum_file;

/* Opens a file that must be of this key and these weights. NULL with a sentence otherwise. The
 * weights are borrowed. Free with spectrum_file_close. */
struct spectrum_file *spectrum_file_open(const char *path, const char *key,
                                         const struct spectrum_weight *weights, size_t count,
                                         GError **error);
void spectrum_file_close(struct spectrum_file *file); // NULL is allowed
typedef struct spectrum_file spectrum_file;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(spectrum_file, spectrum_file_close)

const char *spectrum_file_path(const struct spectrum_file *file);

/* Reads u, s and vt of a weight, each of which may be NULL, and verifies them. False with a
 * sentence. Several threads may read at once. */
bool spectrum_file_read(const struct spectrum_file *file, size_t index, float *u, float *s,
                        float *vt, GError **error);

struct spectrum_writer;

/* Begins the file `path`; the disk's space is set aside. The weights are borrowed. NULL with a
 * sentence. Free with spectrum_writer_close, which leaves nothing behind without a commit. */
struct spectrum_writer *spectrum_writer_create(const char *path, const char *key,
                                               const struct spectrum_weight *weights, size_t count,
                                               GError **error);
void spectrum_writer_close(struct spectrum_writer *writer); // NULL is allowed
typedef struct spectrum_writer spectrum_writer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(spectrum_writer, spectrum_writer_close)

// the factors of one weight, in any order
bool spectrum_writer_put(struct spectrum_writer *writer, size_t index, const float *u,
                         const float *s, const float *vt, GError **error);

/* Reads back what was put of a weight, each of which may be NULL; other weights may be put meanwhile
 * by another thread. False with a sentence. */
bool spectrum_writer_get(const struct spectrum_writer *writer, size_t index, float *u, float *s,
                         float *vt, GError **error);

// puts the file in its place, after every weight
bool spectrum_writer_commit(struct spectrum_writer *writer, GError **error);
