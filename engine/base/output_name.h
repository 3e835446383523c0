/* output_name.h: file names of several pictures from one pattern. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "%d" or "%04d" in pattern becomes index; without one it is used as it stands for a single
 * picture and gets "-1", "-2" before its extension for several. "%%" is a percent sign. Owned by
 * the caller. */
char *output_name(const char *pattern, int index, int count);

/* Whether there is one in it. */
bool output_is_numbered(const char *pattern);

/* Whether a file could be written at path, found out by beginning one: to be asked before long
 * work. NULL is none and fine. False with a sentence; nothing is left behind. */
bool output_check(const char *path, GError **error);
