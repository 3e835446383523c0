/* spectrum_cache.h: the folder in which the spectra of models are kept.
 *
 *   KEY.safetensors    the spectra of one model (spectrum_file.h); KEY is 64 hexadecimal digits
 *
 * The folder has a bound: before a file is written, those that were not used for longest are
 * removed until there is room. Nothing but files with such names is ever removed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SPECTRUM_CACHE_LIMIT ((uint64_t)10 * 1000 * 1000 * 1000)

// "svdiff/spectra" in the user's cache folder; the caller frees it
char *spectrum_cache_default_folder(void);

// the file of a key; the caller frees it
char *spectrum_cache_path(const char *folder, const char *key);

/* Makes the folder and room for `bytes` in it and on its disk: removes what was not used for
 * longest until the folder holds at most `limit` with them. False with a sentence when `bytes`
 * alone are more than the limit, the disk has not enough space even so, or the folder cannot be
 * made. */
bool spectrum_cache_make_room(const char *folder, uint64_t bytes, uint64_t limit, GError **error);

// notes that a file is in use, so that it is removed later than others
void spectrum_cache_touch(const char *path);
