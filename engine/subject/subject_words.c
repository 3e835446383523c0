/* Words of subject files; see subject_words.h. Our files number their subjects from the second on:
 * prompt, prompt.2, ... */
#include "engine/subject/subject_words.h"

#include "engine/text/wording.h"
#include "engine/text/prompt.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/subject_names.h"

#include <string.h>

#define FILES 64

static char *numbered(const struct subject *s, const char *key, int number)
{
    g_autofree char *name = number == 1 ? g_strdup(key) : g_strdup_printf("%s.%d", key, number);

    return g_strdup(subject_metadata(s, name));
}

static bool has_subject(const struct subject *s, int number)
{
    g_autofree char *prompt = numbered(s, "prompt", number);

    return prompt != NULL;
}

// "fox" of "/home/me/fox.safetensors"; of a file of several subjects NULL
static char *name_of(const struct subject *s, const char *file)
{
    char *name = has_subject(s, 2) ? NULL : g_path_get_basename(file);

    if (name != NULL && g_str_has_suffix(name, ".safetensors")) {
        name[strlen(name) - strlen(".safetensors")] = '\0';
    }
    return name;
}

static void add_file(struct subject_words *w, const struct subject *s, const char *path, int file)
{
    for (int i = 1; i == 1 || (i < 1000 && has_subject(s, i)); i++) {
        g_ptr_array_add(w->words, numbered(s, "placeholder", i));
        g_ptr_array_add(w->classes, numbered(s, "class_prompt", i));
        g_ptr_array_add(w->prompts, numbered(s, "prompt", i));
        g_ptr_array_add(w->names, name_of(s, path));
        g_array_append_val(w->files, file);
    }
}

bool subject_words_open(struct subject_words *w, const struct svdiff_scaled_subject *files, int n,
                        GError **error)
{
    *w = (struct subject_words){.words = g_ptr_array_new_with_free_func(g_free),
                                .classes = g_ptr_array_new_with_free_func(g_free),
                                .prompts = g_ptr_array_new_with_free_func(g_free),
                                .names = g_ptr_array_new_with_free_func(g_free),
                                .files = g_array_new(FALSE, FALSE, sizeof(int))};
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
    if (w->words == NULL) {
        return;
    }
    g_ptr_array_unref(w->words);
    g_ptr_array_unref(w->classes);
    g_ptr_array_unref(w->prompts);
    g_ptr_array_unref(w->names);
    g_array_unref(w->files);
    *w = (struct subject_words){0};
}

char *subject_words_put(const struct subject_words *w, const char *text)
{
    return prompt_replace(text, (const char *const *)w->words->pdata, (int)w->words->len);
}

/* ---- which files a text speaks of ---- */

static bool is_letter(char c)
{
    return g_ascii_isalnum(c) || (c & 0x80) != 0;
}

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

    for (guint i = 0; i < w->words->len; i++) {
        const int file = g_array_index(w->files, int, i);
        const char *word = w->words->pdata[i];
        g_autofree char *mark = g_strdup_printf("[V%u]", i + 1);
        const bool named = strstr(text, mark) != NULL || (i == 0 && strstr(text, "[V]") != NULL) ||
                           (word != NULL && has_word(text, word));
        files |= named && file < FILES ? UINT64_C(1) << file : 0;
    }
    return files;
}

/* ---- plain words ---- */

static bool has_any_word(const struct subject_words *w, const char *text)
{
    for (guint i = 0; i < w->words->len; i++) {
        if (w->words->pdata[i] != NULL && has_word(text, w->words->pdata[i])) {
            return true;
        }
    }
    return false;
}

char *subject_words_mark(const struct subject_words *w, const char *text)
{
    g_autofree struct subject_name *names = g_new0(struct subject_name, w->words->len + 1);

    for (guint i = 0; i < w->words->len; i++) {
        if (w->words->pdata[i] != NULL) { // one without a word of its own cannot be spoken of
            names[i] = (struct subject_name){w->prompts->pdata[i], w->names->pdata[i]};
        }
    }
    return has_any_word(w, text) ? g_strdup(text)
                                 : subject_names_put(text, names, (int)w->words->len);
}

char *svdiff_subject_prompt(const char *prompt, const struct svdiff_scaled_subject *subjects, int n,
                            GError **error)
{
    struct subject_words words;
    char *put = NULL;

    if (subject_words_open(&words, subjects, n, error)) {
        g_autofree char *marked = subject_words_mark(&words, prompt);
        put = subject_words_put(&words, marked);
    }
    subject_words_close(&words);
    return put;
}

// "a fox" of "a photo of a fox at night"
static char *thing_of(const struct subject *s, int number)
{
    g_autofree char *class_prompt = numbered(s, "class_prompt", number);
    g_autofree char *prompt = numbered(s, "prompt", number);
    g_autofree char *thing = prompt != NULL ? subject_names_thing(prompt) : g_strdup("");
    const char *of = class_prompt != NULL ? wording_subject(class_prompt) : "";
    const char *at = thing[0] != '\0' ? strstr(of, thing) : NULL;

    return at != NULL ? g_strndup(of, (gsize)(at - of) + strlen(thing)) : g_steal_pointer(&thing);
}

char **svdiff_subject_things(const char *file, GError **error)
{
    g_autoptr(subject_file) s = subject_open(file, error);
    GPtrArray *things = g_ptr_array_new();

    for (int i = 1; s != NULL && (i == 1 || (i < 1000 && has_subject(s, i))); i++) {
        g_ptr_array_add(things, thing_of(s, i));
    }
    g_ptr_array_add(things, NULL);
    char **list = (char **)g_ptr_array_free(things, FALSE);
    if (s == NULL) {
        g_clear_pointer(&list, g_strfreev);
    }
    return list;
}

/* ---- classes ---- */

char *subject_words_classes(const struct subject_words *w, bool swapped)
{
    g_autofree const char **classes = g_new0(const char *, w->classes->len + 1);
    int n = 0;

    for (guint i = 0; i < w->classes->len; i++) {
        const char *one = w->classes->pdata[swapped ? w->classes->len - 1 - i : i];
        if (one != NULL) {
            classes[n++] = wording_subject(one);
        }
    }
    return n > 1 ? wording_list(classes, n) : NULL;
}
