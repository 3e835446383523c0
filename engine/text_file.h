/* text_file.h: a small file, read whole into memory. */
#pragma once

#include <glib.h>
#include <stddef.h>

/* Reads a regular file of at most limit bytes. Returns its bytes with a zero behind them (caller
 * frees with g_free) and their number in *length, or NULL with an error that names the path. Never
 * blocks: pipes, devices and folders are refused. */
char *text_file_read(const char *path, size_t limit, size_t *length, GError **error);
