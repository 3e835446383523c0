/* Private folders and their locks; see scratch.h.
 *
 * A folder is abandoned when its lock can be taken. One without a lock is being made by someone
 * right now, or was left in that moment: it is removed when it is a minute old. */
#include "plugin/scratch.h"

#include "plugin/folder.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX        "svdiff-gimp-"
#define LOCK          "lock"
#define GRACE_SECONDS 60

// links are removed, never followed
static void remove_tree(const char *path)
{
    GStatBuf status;

    if (g_lstat(path, &status) != 0) {
        return;
    }
    if (!S_ISDIR(status.st_mode)) {
        g_unlink(path);
        return;
    }
    g_auto(GStrv) names = folder_names(path, NULL, NULL);
    for (char **name = names; *name != NULL; name++) {
        g_autofree char *inner = g_build_filename(path, *name, NULL);
        remove_tree(inner);
    }
    g_rmdir(path);
}

// removes one folder if its owner is gone
static void sweep_folder(const char *folder)
{
    g_autofree char *lock = g_build_filename(folder, LOCK, NULL);
    GStatBuf status;

    if (g_lstat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid()) {
        return;
    }
    if (!g_file_test(lock, G_FILE_TEST_EXISTS)) {
        if (folder_is_old(folder, GRACE_SECONDS)) {
            remove_tree(folder);
        }
        return;
    }
    const int fd = folder_lock(lock, 0, false);
    if (fd >= 0) {
        remove_tree(folder);
        close(fd);
    }
}

// folders of other users, and of processes that live, are left alone
static void sweep(void)
{
    g_auto(GStrv) names = folder_names(g_get_tmp_dir(), NULL, NULL);

    for (char **name = names; *name != NULL; name++) {
        if (g_str_has_prefix(*name, PREFIX)) {
            g_autofree char *path = g_build_filename(g_get_tmp_dir(), *name, NULL);
            sweep_folder(path);
        }
    }
}

scratch *scratch_create(GError **error)
{
    scratch *s = g_new0(scratch, 1);

    sweep();
    s->lock = -1;
    s->folder = g_build_filename(g_get_tmp_dir(), PREFIX "XXXXXX", NULL);
    if (g_mkdtemp_full(s->folder, 0700) != NULL) {
        g_autofree char *lock = scratch_file(s, LOCK);
        s->lock = folder_lock(lock, O_CREAT | O_EXCL, false);
    }
    if (s->lock < 0) {
        error_failed(error,
                     _("No private folder can be made in %s: %s; check that it can be written to."),
                     g_get_tmp_dir(), g_strerror(errno));
        g_clear_pointer(&s, scratch_free);
    }
    return s;
}

void scratch_free(scratch *s)
{
    if (s != NULL) {
        if (s->lock >= 0) {
            remove_tree(s->folder);
            close(s->lock);
        }
        g_free(s->folder);
        g_free(s);
    }
}

char *scratch_file(const scratch *s, const char *name)
{
    return g_build_filename(s->folder, name, NULL);
}

// the folder is the system's, and may have any name
char *scratch_pattern(const scratch *s, const char *pattern)
{
    g_autoptr(GString) folder = g_string_new(s->folder);

    g_string_replace(folder, "%", "%%", 0);
    return g_build_filename(folder->str, pattern, NULL);
}
