/* What a subject is; see thing.h. A name is cut into words; those that programs, cameras and people
 * give to any picture say nothing, and numbers count copies. What is left is the thing, if it is
 * short and made of letters. */
#include "plugin/thing.h"

#include "plugin/words.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define WORDS_MAX   3 // more are a sentence
#define ENDING_MAX  5 // letters of a file's ending
#define LETTERS_MAX 40

// of names that cameras and telephones give, the same everywhere
static const char cameras[] = "img imgp dsc dscn dscf dscp pxl mvimg vid gopr dji cimg sam pict";

static bool has_word(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit(list, " ", -1);

    return g_strv_contains((const char *const *)words, word);
}

static bool says_nothing(const char *word)
{
    // what GIMP and people call layers, in small letters, with blanks between them
    const char *common = N_("layer background pasted clipboard floating selection copy duplicate "
                            "image picture photo scan screenshot untitled new visible group mask "
                            "the a an of my from at in whatsapp signal edited final");

    return has_word(cameras, word) || has_word(common, word) || has_word(_(common), word);
}

// behind these "of" says what the picture shows; before these the thing ends and its place begins
static const char pictures[] = "photo photograph picture image painting drawing sketch portrait";
static const char prepositions[] = "in on at by with without under over above below near behind "
                                   "before beside between among against through along inside";

/* Of a prompt, with which results.c names what was painted, the thing alone: "a fox" of "a photo of
 * a fox in the snow (seed 7)". Other names stay as they are. */
static void cut_prompt(GString *name)
{
    const char *seed = strstr(name->str, " (seed ");

    if (seed == NULL) {
        return;
    }
    g_string_truncate(name, (gsize)(seed - name->str));
    g_string_truncate(name, strcspn(name->str, ",.;"));
    g_auto(GStrv) words = g_strsplit(name->str, " ", -1);
    g_string_truncate(name, 0);
    for (int i = 0; words[i] != NULL && !has_word(prepositions, words[i]); i++) {
        if (i > 0 && strcmp(words[i], "of") == 0 && has_word(pictures, words[i - 1])) {
            g_string_truncate(name, 0);
        } else if (words[i][0] != '[') { // the subject's own word
            g_string_append_printf(name, "%s ", words[i]);
        }
    }
}

// 1: a word; 0: a number or a single letter; -1: something else
static int kind_of(const char *word)
{
    int letters = 0, digits = 0, others = 0;

    for (const char *c = word; *c != '\0'; c = g_utf8_next_char(c)) {
        const gunichar u = g_utf8_get_char(c);
        letters += g_unichar_isalpha(u);
        digits += g_unichar_isdigit(u);
        others += !g_unichar_isalnum(u);
    }
    return others > 0 || (letters > 0 && digits > 0) ? -1 : letters > 1;
}

// "fox.png": without its ending
static void cut_ending(char *name)
{
    char *point = strrchr(name, '.');

    if (point != NULL && point > name && strlen(point + 1) <= ENDING_MAX && point[1] != ' ') {
        *point = '\0';
    }
}

char *thing_of_name(const char *name)
{
    g_autofree char *lower = g_utf8_strdown(name, -1);
    g_autoptr(GString) small = g_string_new(lower), thing = g_string_new(NULL);
    int n = 0;

    cut_prompt(small);
    cut_ending(small->str);
    g_auto(GStrv) words = g_strsplit_set(g_strdelimit(small->str, "_-#()", ' '), " ", -1);
    for (char **word = words; *word != NULL; word++) {
        cut_ending(*word); // "fox.png copy"
        const int kind = kind_of(*word);
        if (kind < 0) {
            return NULL;
        }
        if (kind > 0 && !says_nothing(*word)) {
            g_string_append_printf(thing, "%s%s", n++ > 0 ? " " : "", *word);
        }
    }
    const bool good = n >= 1 && n <= WORDS_MAX && g_utf8_strlen(thing->str, -1) <= LETTERS_MAX;
    return good ? g_strdup(thing->str) : NULL;
}

char *thing_named(const char *thing)
{
    const char *article = strstr(thing, "[V") != NULL              ? ""
                          : strchr("aeiouAEIOU", thing[0]) != NULL ? "an "
                                                                   : "a ";

    return g_strconcat(article, thing, NULL);
}

char *thing_list(char *const *things)
{
    const int n = (int)g_strv_length((char **)things);
    GString *list = g_string_new(NULL);

    for (int i = 0; i < n; i++) {
        const char *joint = i == 0 ? "" : i + 1 == n ? " and " : ", ";
        g_string_append_printf(list, "%s%s", joint, things[i]);
    }
    return g_string_free(list, FALSE);
}

char *thing_prompt(const char *thing)
{
    return g_strdup_printf("a photo of a [V] %s", thing[0] != '\0' ? thing : "thing");
}
