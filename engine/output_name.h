/* output_name.h: file names of several pictures from one pattern. */
#pragma once

/* "%d" or "%04d" in pattern becomes index; without one it is used as it stands for a single
 * picture and gets "-1", "-2" before its extension for several. "%%" is a percent sign. Owned by
 * the caller. */
char *output_name(const char *pattern, int index, int count);
