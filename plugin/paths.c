/* Where things are; see paths.h. */
#include "plugin/paths.h"

#include "plugin/folder.h"
#include "plugin/words.h"

#include "engine/base/convert_formats.h"
#include "engine/base/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
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

/* A build folder comes first, so that what was just built is what is tried; PATH last, where an
 * older one may be. */
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
        error_failed(error,
                     _("The command svdiff is neither at %s/svdiff nor in PATH; install it, the "
                       "plug-in cannot work without it."),
                     SVDIFF_BIN_DIR);
    }
    return found;
}

// one of our folders in a folder of the user's; it is made
static char *own_folder(const char *user, const char *kind, GError **error)
{
    return folder_make(
        user, kind, _("The folder %s cannot be made: %s; name an output file elsewhere."), error);
}

static char *data_file(const char *kind, const char *file, GError **error)
{
    g_autofree char *folder = own_folder(g_get_user_data_dir(), kind, error);

    return folder != NULL ? g_build_filename(folder, file, NULL) : NULL;
}

// a name becomes that of a file as it is: what cannot be one is refused, never changed
char *paths_named(const char *folder, const char *name, GError **error)
{
    if (!svdiff_subject_name_good(name)) {
        error_usage(error,
                    _("name is “%s”; give the subject a name of one line, not too long, without / "
                      "and without blanks at its ends, that does not begin with a point, or an "
                      "output file."),
                    name);
        return NULL;
    }
    g_autofree char *file = g_strconcat(name, SUBJECT_ENDING, NULL);
    return data_file(folder, file, error);
}

char *paths_subject(const char *name, GError **error)
{
    return paths_named("subjects", name, error);
}

static int compare_names(const void *a, const void *b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

// "fox" of "fox.safetensors", and of what has no such ending all of it; g_free it
static char *without_ending(const char *file)
{
    const size_t length = strlen(file);

    return g_strndup(file, g_str_has_suffix(file, SUBJECT_ENDING) ? length - strlen(SUBJECT_ENDING)
                                                                  : length);
}

char *paths_subject_name(const char *file)
{
    g_autofree char *base = g_path_get_basename(file);

    return without_ending(base);
}

// a name that is no UTF-8 cannot be shown, nor typed
static char *take_subject(const char *file)
{
    g_autofree char *name = without_ending(file);
    const bool good = g_str_has_suffix(file, SUBJECT_ENDING) && svdiff_subject_name_good(name) &&
                      g_utf8_validate(name, -1, NULL);

    return good ? g_steal_pointer(&name) : NULL;
}

char **paths_subjects(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", "subjects", NULL);

    return folder_names(folder, take_subject, compare_names);
}

static bool is_folder(const char *format)
{
#define ROW(name, word, folder) {word, folder},
    static const struct {
        const char *word;
        bool folder;
    } formats[] = {CONVERT_FORMATS(ROW, ROW)};
    size_t i = 0;

    // checked before: one of them
    while (strcmp(formats[i].word, format) != 0) {
        i++;
        g_assert(i < G_N_ELEMENTS(formats));
    }
    return formats[i].folder;
}

char *paths_converted(const char *subjects, const char *format, GError **error)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);
    double scale;
    g_autofree char *first = svdiff_subject_split(list[0] != NULL ? list[0] : "", &scale);
    g_autofree char *name = paths_subject_name(first);

    g_autofree char *file =
        g_strdup_printf("%s-%s%s", svdiff_subject_name_good(name) ? name : "subject", format,
                        is_folder(format) ? "" : SUBJECT_ENDING);
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

// the process number of GIMP in the name of a file; 0: it is none of ours
static gint64 owner_of(const char *name)
{
    return g_str_has_prefix(name, SOCKET)   ? g_ascii_strtoll(name + strlen(SOCKET), NULL, 10)
           : g_str_has_prefix(name, WINDOW) ? g_ascii_strtoll(name + strlen(WINDOW), NULL, 10)
                                            : 0;
}

static void sweep_sockets(const char *folder)
{
    g_auto(GStrv) names = folder_names(folder, NULL, NULL);

    for (char **name = names; *name != NULL; name++) {
        const gint64 pid = owner_of(*name);
        if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
            g_autofree char *path = g_build_filename(folder, *name, NULL);
            g_unlink(path);
        }
    }
}

// whoever asks sweeps: processes that were killed left theirs
static char *private_file(const char *name)
{
    g_autofree char *folder = g_build_filename(g_get_user_runtime_dir(), "svdiff", NULL);

    if (!folder_make_private(folder, false)) {
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
