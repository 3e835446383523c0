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
    g_autofree char *small = g_utf8_strdown(name, -1);
    g_autoptr(GString) thing = g_string_new(NULL);
    int n = 0;

    cut_ending(small);
    g_auto(GStrv) words = g_strsplit_set(g_strdelimit(small, "_-#()", ' '), " ", -1);
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

char *thing_prompt(const char *thing)
{
    return g_strdup_printf("a photo of a [V] %s", thing[0] != '\0' ? thing : "thing");
}
