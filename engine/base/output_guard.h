/* output_guard.h: that a run overwrites nothing that it reads, and no result with another.
 *
 *   g_autoptr(output_guard) g = output_guard_create();
 *   output_guard_reads(g, "cat.png");
 *   if (!output_guard_writes(g, "--output", "kitten.png", &error)) ...
 *
 * Files are told apart by device and inode, so that links of both kinds and other ways to write a
 * path are seen; what does not exist yet by its path without links. To be asked before long work,
 * for everything that a run writes. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct output_guard output_guard;

output_guard *output_guard_create(void);
void output_guard_free(output_guard *g); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(output_guard, output_guard_free)

/* A file that is read, or a folder with all that is in it; NULL and what is not there are none. */
void output_guard_reads(output_guard *g, const char *path);

/* A file or folder that is written and what says so, "--output"; NULL is none. False with a
 * sentence when this would overwrite what is read, be in a folder that is read, or be what another
 * option writes. */
bool output_guard_writes(output_guard *g, const char *option, const char *path, GError **error);
