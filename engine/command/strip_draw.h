/* strip_draw.h: the pictures of --strip: as one labelled picture, or, where the name of --output has a
 * number in it, a file each, all of a value before those of the next. */
#pragma once

#include "engine/command/pictures.h"
#include "engine/options/strip.h"

/* How many files there will be. */
int strip_files(const struct strip *s, const char *output, int count);

/* Whether the strip can be drawn with these options, by a model whose sizes are divisible by 8. False
 * with a sentence. */
bool strip_draw_check(const struct strip *s, const struct pictures *d,
                      const struct svdiff_generate_options *o, GError **error);

bool strip_draw(const struct strip *s, struct pictures *d, const struct svdiff_generate_options *o,
                GError **error);
