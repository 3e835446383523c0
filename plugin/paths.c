/* Where things are; see paths.h. */
#include "plugin/paths.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBJECT_ENDING ".safetensors"

static bool is_program(const char *path)
{
    return path != NULL && g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
           g_file_test(path, G_FILE_TEST_IS_EXECUTABLE);
}

// the build folder, when this program lies in it: BUILD/plugin/gimp2/svdiff beside
// BUILD/engine/svdiff
static char *build_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL); // links are followed
    g_autofree char *folder = g_path_get_dirname(program != NULL ? program : ".");
    g_autofree char *build = g_build_filename(folder, "..", "..", NULL);
    g_autofree char *command = g_build_filename(build, "engine", "svdiff", NULL);

    return is_program(command) ? g_canonicalize_filename(build, NULL) : NULL;
}

char *paths_locale(void)
{
    g_autofree char *build = build_folder();

    return build != NULL ? g_build_filename(build, "plugin", "po", NULL)
                         : g_strdup(SVDIFF_LOCALE_DIR);
}

char *paths_command(GError **error)
{
    g_autofree char *build = build_folder();

    if (build != NULL) {
        return g_build_filename(build, "engine", "svdiff", NULL);
    }
    if (is_program(SVDIFF_BIN_DIR "/svdiff")) {
        return g_strdup(SVDIFF_BIN_DIR "/svdiff");
    }
    char *found = g_find_program_in_path("svdiff");
    if (found == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    _("The command svdiff is neither at %s/svdiff nor in PATH; install it, the "
                      "plug-in cannot work without it."),
                    SVDIFF_BIN_DIR);
    }
    return found;
}

// one of our folders in a folder of the user's; it is made
static char *own_folder(const char *user, const char *kind, GError **error)
{
    g_autofree char *folder = g_build_filename(user, "svdiff", kind, NULL);

    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    _("The folder %s cannot be made: %s; name an output file elsewhere."), folder,
                    g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&folder);
}

static char *data_file(const char *kind, const char *file, GError **error)
{
    g_autofree char *folder = own_folder(g_get_user_data_dir(), kind, error);

    return folder != NULL ? g_build_filename(folder, file, NULL) : NULL;
}

char *paths_subject(const char *name, GError **error)
{
    if (!svdiff_subject_name_good(name)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("name is “%s”; give the subject a name of one line, not too long, without / "
                      "and without blanks at its ends, that does not begin with a point, or an "
                      "output file."),
                    name);
        return NULL;
    }
    g_autofree char *file = g_strconcat(name, SUBJECT_ENDING, NULL);
    return data_file("subjects", file, error);
}

static int compare_names(const void *a, const void *b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

char **paths_subjects(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", "subjects", NULL);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    GPtrArray *names = g_ptr_array_new();

    for (const char *name; entries != NULL && (name = g_dir_read_name(entries)) != NULL;) {
        g_autofree char *called = g_str_has_suffix(name, SUBJECT_ENDING)
                                      ? g_strndup(name, strlen(name) - strlen(SUBJECT_ENDING))
                                      : g_strdup("");
        // a name that is no UTF-8 cannot be shown, nor typed
        if (svdiff_subject_name_good(called) && g_utf8_validate(called, -1, NULL)) {
            g_ptr_array_add(names, g_steal_pointer(&called));
        }
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char *paths_converted(const char *subjects, const char *format, GError **error)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);
    double scale;
    g_autofree char *first = svdiff_subject_split(list[0] != NULL ? list[0] : "", &scale);
    g_autofree char *name = g_path_get_basename(first);
    const bool folder = strcmp(format, "folder") == 0 || strcmp(format, "svdiff-pytorch") == 0;

    if (g_str_has_suffix(name, SUBJECT_ENDING)) {
        name[strlen(name) - strlen(SUBJECT_ENDING)] = '\0';
    }
    if (!svdiff_subject_name_good(name)) {
        name = (g_free(name), g_strdup("subject"));
    }
    g_autofree char *file = g_strdup_printf("%s-%s%s", name, format, folder ? "" : ".safetensors");
    return data_file("converted", file, error);
}

char *paths_edits(GError **error)
{
    return own_folder(g_get_user_cache_dir(), "edits", error);
}

/* ---- the worker that stays ---- */

// and the process number of GIMP
#define SOCKET "worker-"
#define WINDOW "window-"

// whether the folder is there and nobody else can come in
static bool make_private(const char *folder)
{
    GStatBuf info;

    return g_mkdir_with_parents(folder, 0700) == 0 && g_lstat(folder, &info) == 0 &&
           S_ISDIR(info.st_mode) && info.st_uid == getuid() && (info.st_mode & 0777) == 0700;
}

// the process number of GIMP in the name of a file; 0: it is none of ours
static gint64 owner_of(const char *name)
{
    return g_str_has_prefix(name, SOCKET)   ? g_ascii_strtoll(name + strlen(SOCKET), NULL, 10)
           : g_str_has_prefix(name, WINDOW) ? g_ascii_strtoll(name + strlen(WINDOW), NULL, 10)
                                            : 0;
}

static void sweep_sockets(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);

    for (const char *name; entries != NULL && (name = g_dir_read_name(entries)) != NULL;) {
        const gint64 pid = owner_of(name);
        if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
            g_autofree char *path = g_build_filename(folder, name, NULL);
            g_unlink(path);
        }
    }
}

static char *private_file(const char *name)
{
    g_autofree char *folder = g_build_filename(g_get_user_runtime_dir(), "svdiff", NULL);

    if (!make_private(folder)) {
        return NULL;
    }
    sweep_sockets(folder);
    return g_build_filename(folder, name, NULL);
}

char *paths_socket(void)
{
    g_autofree char *name = g_strdup_printf(SOCKET "%d", (int)getppid()); // GIMP starts plug-ins

    return private_file(name);
}

char *paths_window(const char *procedure)
{
    g_autofree char *name = g_strdup_printf(WINDOW "%d-%s", (int)getppid(), procedure);

    return private_file(name);
}

/* ---- what ships ---- */

// a part of the folder where the command finds what came with it
static char *shipped(const char *part)
{
    const char *data = g_getenv("SVDIFF_DATA_DIR");
    g_autofree char *command = paths_command(NULL);
    g_autofree char *folder = command != NULL ? g_path_get_dirname(command) : g_strdup(".");

    if (data != NULL && data[0] != '\0') {
        return g_build_filename(data, part, NULL);
    }
    return g_build_filename(folder, "..", "share", "svdiff", part, NULL);
}

char *paths_help(void)
{
    g_autofree char *folder = shipped("help");
    g_autofree char *full = g_canonicalize_filename(folder, NULL);

    return g_filename_to_uri(full, NULL, NULL);
}
