/* file_stamp.h: whether files are still those that were read. */
#pragma once

#include <glib.h>

/* Appends a line for the file at `path`, or for each file in the folder and in those in it: who it
 * is, how large and from when. What is not there gives no line. */
void file_stamp(GString *stamp, const char *path);
