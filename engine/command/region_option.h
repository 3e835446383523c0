/* region_option.h: a mask and a text in one option, left.png='a dog'. */
#pragma once

#include "engine/svdiff.h"

/* Takes FILE=TEXT apart: the file is the longest beginning before a '=' that is a file, since its
 * name may have a '=' itself, and where there is none what is before the first. file and text are
 * owned by the caller (g_free). False with a sentence. */
bool region_option_parse(const char *value, struct svdiff_region *region, GError **error);
