/* report_line.h: one line of progress for people. */
#pragma once

#include "engine/base/progress.h"

/* "learn 12/500 [###-----]  loss 0.1234  1:05 left" in at most `width` characters: the bar takes
 * what is left, up to 40, and goes first; the end is cut last. width 0: no bar and no limit.
 * Numbers have a point in every locale. g_free it. */
char *report_line(const struct progress *p, int width);
