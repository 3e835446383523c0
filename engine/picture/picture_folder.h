/* picture_folder.h: the pictures in a folder, by the endings of their names. */
#pragma once

#include <glib.h>

/* Their paths, sorted by the bytes of their names, NULL at the end; hidden files are none. *others
 * receives how many entries are no pictures. NULL with a sentence when the folder cannot be read or
 * has none. g_strfreev it. */
char **picture_folder_list(const char *folder, int *others, GError **error);

/* The name of a picture without folder and ending: what pairs it with its mask. g_free it. */
char *picture_folder_stem(const char *path);
