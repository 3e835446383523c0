/* Words of subject files; see subject_words.h. Our files number their subjects from the second on:
 * prompt, prompt.2, ... */
#include "engine/subject/subject_words.h"

#include "engine/text/wording.h"
#include "engine/text/prompt.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/subject_lookup.h"
#include "engine/subject/subject_names.h"

#include <string.h>

#define FILES    64   // bits of the sets of files
#define SUBJECTS 1000 // of a file, at most

// whether a file has a subject of this number, from 1; a file that says nothing has one
static bool has_subject(const struct subject *s, int number)
{
    return number == 1 || (number < SUBJECTS && subject_numbered(s, "prompt", number) != NULL);
}

static void clear_word(void *word)
{
    struct subject_word *w = word;

    g_free(w->word);
    g_free(w->class_prompt);
    g_free(w->prompt);
    g_free(w->name);
}

// strings are copies: the file is closed when its words are read
static void add_file(struct subject_words *w, const struct subject *s, const char *path, int file)
{
    for (int i = 1; has_subject(s, i); i++) {
        const struct subject_word one = {.word = g_strdup(subject_numbered(s, "placeholder", i)),
                                         .class_prompt =
                                             g_strdup(subject_numbered(s, "class_prompt", i)),
                                         .prompt = g_strdup(subject_numbered(s, "prompt", i)),
                                         .name = has_subject(s, 2) ? NULL : subject_name_of(path),
                                         .file = file};
        g_array_append_val(w->list, one);
    }
}

bool subject_words_open(struct subject_words *w, const struct svdiff_scaled_subject *files, int n,
                        GError **error)
{
    w->list = g_array_new(FALSE, TRUE, sizeof(struct subject_word));
    g_array_set_clear_func(w->list, clear_word);
    for (int i = 0; i < n; i++) {
        g_autoptr(subject_file) s = subject_open(files[i].file, error);
        if (s == NULL) {
            return false;
        }
        add_file(w, s, files[i].file, i);
    }
    return true;
}

void subject_words_close(struct subject_words *w)
{
    g_clear_pointer(&w->list, g_array_unref);
}

static const struct subject_word *word_at(const struct subject_words *w, guint i)
{
    return &g_array_index(w->list, struct subject_word, i);
}

char *subject_words_put(const struct subject_words *w, const char *text)
{
    g_autofree const char **words = g_new0(const char *, w->list->len + 1);

    for (guint i = 0; i < w->list->len; i++) {
        words[i] = word_at(w, i)->word;
    }
    return prompt_replace(text, words, (int)w->list->len);
}

/* ---- which files a text speaks of ---- */

static bool is_letter(char c)
{
    return g_ascii_isalnum(c) || (c & 0x80) != 0;
}

// whole words: "cat" is not in "catalogue"
static bool has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == text || !is_letter(at[-1])) && !is_letter(at[length])) {
            return true;
        }
    }
    return false;
}

uint64_t subject_words_files(const struct subject_words *w, const char *text)
{
    uint64_t files = 0;

    for (guint i = 0; i < w->list->len; i++) {
        const struct subject_word *one = word_at(w, i);
        g_autofree char *mark = g_strdup_printf("[V%u]", i + 1);
        // [V] alone is the first one's
        const bool named = strstr(text, mark) != NULL || (i == 0 && strstr(text, "[V]") != NULL) ||
                           (one->word != NULL && has_word(text, one->word));
        files |= named && one->file < FILES ? UINT64_C(1) << one->file : 0;
    }
    return files;
}

/* ---- plain words ---- */

char *subject_words_mark(const struct subject_words *w, const char *text)
{
    g_autofree struct subject_name *names = g_new0(struct subject_name, w->list->len + 1);

    for (guint i = 0; i < w->list->len; i++) {
        const struct subject_word *one = word_at(w, i);
        if (one->word != NULL && has_word(text, one->word)) {
            return g_strdup(text); // whoever types it knows what it stands for
        }
        if (one->word != NULL) { // one without a word of its own cannot be spoken of
            names[i] = (struct subject_name){one->prompt, one->name};
        }
    }
    return subject_names_put(text, names, (int)w->list->len);
}

char *svdiff_subject_prompt(const char *prompt, const struct svdiff_scaled_subject *subjects, int n,
                            GError **error)
{
    struct subject_words words;
    char *put = NULL;

    if (subject_words_open(&words, subjects, n, error)) {
        // the plug-in's texts may speak of subjects by their names
        g_autofree char *marked = subject_words_mark(&words, prompt);
        put = subject_words_put(&words, marked);
    }
    subject_words_close(&words);
    return put;
}

// "a fox" of "a photo of a fox at night"
static char *thing_of(const struct subject *s, int number)
{
    const char *class_prompt = subject_numbered(s, "class_prompt", number);
    const char *prompt = subject_numbered(s, "prompt", number);
    g_autofree char *thing = prompt != NULL ? subject_names_thing(prompt) : g_strdup("");
    const char *of = class_prompt != NULL ? wording_subject(class_prompt) : "";
    const char *at = thing[0] != '\0' ? strstr(of, thing) : NULL;

    // with the article that the class prompt has before it
    return at != NULL ? g_strndup(of, (gsize)(at - of) + strlen(thing)) : g_steal_pointer(&thing);
}

char **svdiff_subject_things(const char *file, GError **error)
{
    g_autoptr(subject_file) s = subject_open(file, error);
    g_autoptr(GPtrArray) things = g_ptr_array_new();

    if (s == NULL) {
        return NULL;
    }
    for (int i = 1; has_subject(s, i); i++) {
        g_ptr_array_add(things, thing_of(s, i));
    }
    g_ptr_array_add(things, NULL);
    return (char **)g_ptr_array_steal(things, NULL);
}

/* ---- classes ---- */

char *subject_words_classes(const struct subject_words *w, bool swapped)
{
    const guint all = w->list->len;
    g_autofree const char **classes = g_new0(const char *, all + 1);
    int n = 0;

    for (guint i = 0; i < all; i++) {
        // swapped: the last one first
        const char *one = word_at(w, swapped ? all - 1 - i : i)->class_prompt;
        if (one != NULL) {
            classes[n++] = wording_subject(one);
        }
    }
    return n > 1 ? wording_list(classes, n) : NULL;
}
