/* Names of subjects; see subject_lookup.h. */
#include "engine/subject/subject_lookup.h"

#include "engine/base/error.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/subject_part.h"
#include "engine/svdiff.h"

#include <string.h>

#define ENDING     ".safetensors"
#define NAME_BYTES 200  // bytes: room for the ending, and for what is written beside it
#define PART_BYTES 4096 // bytes of one part of a list, as of a path
#define SEPARATORS ";\n"

/* ---- where it is ---- */

static char *in_own_folder(const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);

    return g_build_filename(g_get_user_data_dir(), "svdiff", "subjects", file, NULL);
}

// a file, or svdiff-pytorch's folder; a folder of photos may have the name of a subject
static bool is_place(const char *path)
{
    g_autofree char *shifts = g_build_filename(path, SUBJECT_FILE_UNET, NULL);

    return g_file_test(path, G_FILE_TEST_IS_REGULAR) || g_file_test(shifts, G_FILE_TEST_EXISTS);
}

// the path of a subject that exists under this name, or NULL
static char *find_whole(const char *name)
{
    static const char *const endings[] = {ENDING, ""}; // "fox" and "fox.safetensors" are both typed

    if (name[0] == '\0' || is_place(name)) {
        return name[0] == '\0' ? NULL : g_strdup(name);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(endings) && strchr(name, '/') == NULL; i++) {
        g_autofree char *path = in_own_folder(name, endings[i]);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            return g_steal_pointer(&path);
        }
    }
    return NULL;
}

// the same of a name with a part behind it
static char *find(const char *name)
{
    const char *part = subject_part_at(name);
    g_autofree char *plain = part != NULL ? g_strndup(name, (gsize)(part - name)) : NULL;
    char *path = find_whole(name);

    return path == NULL && plain != NULL ? find_whole(plain) : path;
}

const char *subject_part_of(const char *name)
{
    g_autofree char *whole = find_whole(name);

    return whole == NULL ? subject_part_at(name) : NULL;
}

static bool exists(const char *name)
{
    g_autofree char *path = find(name);

    return path != NULL;
}

char *subject_path(const char *full)
{
    const char *part = subject_part_of(full);
    g_autofree char *name = part != NULL ? g_strndup(full, (gsize)(part - full)) : g_strdup(full);
    // else where it would be, for a sentence or to be written
    char *found = find_whole(name);

    if (found != NULL) {
        return found;
    }
    return g_file_test(name, G_FILE_TEST_EXISTS) || strchr(name, '/') != NULL ||
                   g_str_has_suffix(name, ENDING)
               ? g_strdup(name)
               : in_own_folder(name, ENDING);
}

/* ---- names that can be given ---- */

// what stands there; of bytes that are no text, which a file's name may have, no more is known
static gunichar character(const char *at)
{
    const gunichar c = g_utf8_get_char_validated(at, -1);

    return c < (gunichar)-2 ? c : 'x';
}

bool svdiff_subject_name_good(const char *name)
{
    const size_t length = strlen(name);

    if (length == 0 || length > NAME_BYTES || name[0] == '.' || strchr(name, '/') != NULL) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (g_unichar_iscntrl(character(at))) {
            return false;
        }
    }
    // blanks at the ends are what people do not see when they type it again
    const char *last = g_utf8_find_prev_char(name, name + length);
    return !g_unichar_isspace(character(name)) && !g_unichar_isspace(character(last));
}

char *subject_name_of(const char *path)
{
    char *name = g_path_get_basename(path);

    if (g_str_has_suffix(name, ENDING)) {
        name[strlen(name) - strlen(ENDING)] = '\0';
    }
    return name;
}

bool subject_check_output(const char *option, const char *path, GError **error)
{
    g_autofree char *name = subject_name_of(path);

    if (svdiff_subject_name_good(name)) {
        return true;
    }
    return error_usage(error,
                       "%s is '%s', and a subject called '%s' could not be named later; give it a "
                       "name of at most %d bytes, without blanks at its ends or control "
                       "characters, that does not begin with a point.",
                       option, path, name, NAME_BYTES);
}

/* ---- a name and a strength ---- */

char *svdiff_subject_split(const char *text, double *scale)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;

    *scale = 1;
    // what exists comes before any reading of colons
    if (colon == NULL || exists(text)) {
        return g_strdup(text);
    }
    const double number = g_ascii_strtod(colon + 1, &end);
    if (end == colon + 1 || *end != '\0') {
        return g_strdup(text);
    }
    *scale = number;
    return g_strchomp(g_strndup(text, (gsize)(colon - text)));
}

char *svdiff_subject_join(const char *name, double scale)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (scale == 1) {
        return g_strdup(name);
    }
    char *text =
        g_strconcat(name, ":", g_ascii_formatd(number, sizeof number, "%.3g", scale), NULL);
    // more digits until no subject is called so: "fox:0.5" may be a file
    for (int digits = 3; digits < 9 && exists(text); digits++) {
        g_autofree char *format = g_strdup_printf("%%.%df", digits);
        g_free(text);
        text = g_strconcat(name, ":", g_ascii_formatd(number, sizeof number, format, scale), NULL);
    }
    return text;
}

/* ---- several ---- */

bool subject_is_one(const char *text)
{
    double scale;
    g_autofree char *name = svdiff_subject_split(text, &scale);

    return exists(name);
}

/* The first subject of a list: as many of its parts as make up a subject that exists, or one.
 * *end: where it ends. */
static char *take_first(const char *list, const char **end)
{
    const char *first = list + strcspn(list, SEPARATORS);

    *end = first;
    char *taken = g_strstrip(g_strndup(list, (gsize)(first - list)));
    for (const char *at = first; *at != '\0';) {
        at += 1 + strcspn(at + 1, SEPARATORS);
        // a list that somebody made long would cost a look at the disk for each of its parts
        if (at - list > PART_BYTES) {
            break;
        }
        g_autofree char *longer = g_strstrip(g_strndup(list, (gsize)(at - list)));
        if (subject_is_one(longer)) {
            g_free(taken);
            taken = g_steal_pointer(&longer);
            *end = at;
        }
    }
    return taken;
}

char **svdiff_subject_list(const char *list)
{
    GPtrArray *all = g_ptr_array_new();

    while (*list != '\0') {
        g_autofree char *one = take_first(list, &list);
        list += *list != '\0';
        // two separators in a row, or one at the end
        if (one[0] != '\0') {
            g_ptr_array_add(all, g_steal_pointer(&one));
        }
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}
