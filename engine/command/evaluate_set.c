/* What is judged; see evaluate_set.h. */
#include "engine/command/evaluate_set.h"

#include "engine/base/error.h"
#include "engine/command/named_word.h"
#include "engine/subject/subject_lookup.h"

#include <math.h>
#include <string.h>

// whether the sign is that of a part, "fox:keep=40", and not one behind it, "fox:keep=40=mine"
static bool is_part(const char *part, const char *sign)
{
    const char *colon = g_strrstr_len(part, sign - part, ":");

    return memchr(colon, '=', (size_t)(sign - colon)) == NULL;
}

// what exists comes before any reading of signs, but those behind a part
static bool is_unnamed(const char *word, const char *sign)
{
    const char *part = subject_part_of(word);

    return part != NULL && part < sign ? is_part(part, sign) : subject_is_one(word);
}

// at the "=" of the name; NULL: there is none
static const char *sign_of(const char *word, bool subject)
{
    const char *sign = named_word_sign(word);

    if (sign == NULL ||
        (subject ? is_unnamed(word, sign) : g_file_test(word, G_FILE_TEST_EXISTS))) {
        return NULL;
    }
    return sign;
}

// "500" of "fox@500", which it is cut off from; false: there is no number
static bool take_place(char *name, double *place)
{
    char *at = strrchr(name, '@'), *end;

    if (at == NULL || at[1] == '\0') {
        return false;
    }
    *place = g_ascii_strtod(at + 1, &end);
    if (*end != '\0' || !isfinite(*place)) {
        return false;
    }
    *at = '\0';
    return true;
}

static bool steps_of(const char *path, double *steps, GError **error)
{
    struct subject *s = subject_open(path, error);
    const char *text = s != NULL ? subject_metadata(s, "steps") : NULL;
    const bool said = text != NULL;

    *steps = said ? g_ascii_strtod(text, NULL) : NAN;
    if (s != NULL && !said) {
        error_usage(error, "%s does not say after how many steps it is; say it with =NAME@STEPS.",
                    path);
    }
    subject_free(s);
    return said;
}

// where a subject is of itself
static bool own_place(struct evaluate_set *set, const char *along, GError **error)
{
    if (set->subject.file != NULL && strcmp(along, "scale") == 0) {
        set->place = set->subject.scale;
        return true;
    }
    if (set->subject.file != NULL && strcmp(along, "steps") == 0) {
        g_autofree char *path = subject_path(set->subject.file);
        return steps_of(path, &set->place, error);
    }
    return error_usage(error, "'%s': say where it is along %s, %s=NAME@NUMBER.", set->word, along,
                       set->word);
}

/* For people: the file's name with its part and strength, which tell drawings of one subject apart; along
 * strengths these are one. */
static char *name_of(const struct evaluate_set *set, const char *along)
{
    const bool apart = along == NULL || set->subject.file == NULL;
    g_autofree char *base =
        apart ? g_path_get_basename(set->word) : subject_name_of(set->subject.file);

    return g_utf8_make_valid(base, -1);
}

bool evaluate_set_read(const char *word, bool subject, const char *along, struct evaluate_set *set,
                       GError **error)
{
    const char *sign = sign_of(word, subject);
    g_autofree char *name = sign != NULL ? g_utf8_make_valid(sign + 1, -1) : NULL;

    *set = (struct evaluate_set){.word = sign != NULL ? g_strndup(word, (gsize)(sign - word))
                                                      : g_strdup(word),
                                 .place = NAN};
    if (subject) {
        set->subject = subject_list_parse(set->word);
    }
    const bool placed = along != NULL && name != NULL && take_place(name, &set->place);
    if (name != NULL && (sign == word || (name[0] == '\0' && !placed))) {
        return error_usage(error, "'%s': write %s=NAME, with what it is called.", word,
                           subject ? "SUBJECT" : "FOLDER");
    }
    // those along something are of one line
    set->named = along != NULL || name != NULL;
    set->name = name != NULL && name[0] != '\0' ? g_strdup(name) : name_of(set, along);
    return along == NULL || placed || own_place(set, along, error);
}

void evaluate_set_clear(struct evaluate_set *set)
{
    g_free(set->word);
    g_free(set->name);
    g_free((char *)set->subject.file);
    g_free((char *)set->subject.part);
    *set = (struct evaluate_set){0};
}
