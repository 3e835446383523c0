/* scratch.h: a private folder for the files of one job.
 *
 * In the folder for temporary files, mode 0700, with a lock that the process holds as long as it
 * lives. Whoever makes the next one removes those whose process is gone, so that nothing stays
 * behind when a process was killed. */
#pragma once

#include <glib.h>

struct scratch {
    char *folder;
    int lock; // file descriptor
};
typedef struct scratch scratch;

/* A new empty folder; NULL with a sentence when it cannot be made. scratch_free removes it. */
scratch *scratch_create(GError **error);
void scratch_free(scratch *s); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scratch, scratch_free)

/* The path of a file in it. g_free it. */
char *scratch_file(const scratch *s, const char *name);

/* The same for a pattern of files, such as "picture-%04d.tif", in which a percent sign of the
 * folder's is itself (output_name.h). g_free it. */
char *scratch_pattern(const scratch *s, const char *pattern);
