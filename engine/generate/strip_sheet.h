/* strip_sheet.h: the pictures of a strip (options/strip.h), drawn with one seed, or with several, a row
 * each; of several devices each draws every so manieth column. */
#pragma once

#include "engine/options/strip.h"
#include "engine/picture/picture.h"

/* Hands over picture `index` with the options that it was drawn with: all of a value are counted before those of
 * the next. Borrowed for the call. False stops. */
typedef bool (*strip_take)(void *user, const struct svdiff_generate_options *column, int index,
                           uint64_t seed, const picture *p, GError **error);

/* Draws all of them; what is drawn is taken by the thread that calls. False with a sentence. */
bool strip_generate(svdiff *s, const struct strip *strip,
                    const struct svdiff_generate_options *options, strip_take take,
                    progress_function progress, void *user, GError **error);

/* Whether all of them fit into one picture. False with a sentence. */
bool strip_sheet_check(const struct strip *strip, const struct svdiff_generate_options *options,
                       GError **error);

/* All of them in one picture, with their labels. Owned by the caller; NULL with an error. */
picture *strip_sheet(svdiff *s, const struct strip *strip,
                     const struct svdiff_generate_options *options, progress_function progress,
                     void *user, GError **error);
