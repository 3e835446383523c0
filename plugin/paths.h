/* paths.h: where things are: the command, subjects, sockets. */
#pragma once

#include <glib.h>

/* The folder with the compiled translations: of the build folder when this program is in one, else
 * of the installation. g_free it. */
char *paths_locale(void);

/* The command `svdiff`: of the same build folder, of the same installation, or in PATH, in this
 * order. NULL with a sentence when there is none. g_free it. */
char *paths_command(GError **error);

/* The file of a subject by name, in the user's data folder, which is made when it is missing. NULL
 * with a sentence when the name cannot be that of a file. g_free it. */
char *paths_subject(const char *name, GError **error);

/* The same in another folder there: "loras". */
char *paths_named(const char *folder, const char *name, GError **error);

/* What a subject is called whose file or name this is: "fox" of "/home/me/fox.safetensors". g_free
 * it. */
char *paths_subject_name(const char *file);

/* The names of all subjects in the user's data folder, sorted. g_strfreev it. */
char **paths_subjects(void);

/* Where a subject goes that is converted to a format, when nothing else is said: in the user's data
 * folder, which is made when it is missing. subjects: the first one gives the name. NULL with a
 * sentence. g_free it. */
char *paths_converted(const char *subjects, const char *format, GError **error);

/* The folder of the help pages, as a URI. g_free it. */
char *paths_help(void);

/* The folder in the user's cache folder, which is made, that keeps what was learned for edits. NULL
 * with a sentence. g_free it. */
char *paths_edits(GError **error);

/* The socket of the worker that stays for this GIMP, in a folder that is the user's alone; those of
 * GIMPs that are gone are removed. NULL when there is no such folder. g_free it. */
char *paths_socket(void);

/* The socket of the window of a procedure of this GIMP, in the same folder; NULL the same. g_free
 * it. */
char *paths_window(const char *procedure);
