/* strip.h: what a strip of pictures varies, as it is said: "scale=-1..1:7" or "sampler=ddim,euler".
 *
 *   NAME=FROM..TO:N   N values at equal distances, both ends among them
 *   NAME=A,B,C        these
 *
 * What a name means, and whether it can have these values, is told by generate/strip_column.h. The
 * plug-in reads strips, too: how many pictures there will be, and what they are called. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define STRIP_MAX 100 // values

struct strip {
    char *name;
    const char *label; // what pictures are called in its place; NULL: the name; borrowed
    char **values;     // as an option of this name takes them, NULL-terminated
    int n;             // at least 2
};

/* False with SVDIFF_ERROR_USAGE. To be cleared in either case. */
bool strip_parse(const char *text, struct strip *s, GError **error);
void strip_clear(struct strip *s); // accepts a zeroed one

/* "scale -0.5": what picture i is called. Owned by the caller. */
char *strip_label(const struct strip *s, int i);
