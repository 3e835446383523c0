/* Texts of `svdiff evaluate`; see evaluate_prompts.h. */
#include "engine/command/evaluate_prompts.h"

#include "engine/base/error.h"
#include "engine/command/prompt_lines.h"
#include "engine/text/prompt.h"

#include <string.h>

/* ---- the list ---- */

static bool is_file(const char *entry)
{
    return g_file_test(entry, G_FILE_TEST_EXISTS);
}

static bool add_file(GPtrArray *prompts, const char *path, GError **error)
{
    g_autoptr(GPtrArray) lines = prompt_lines_read(path, error);

    for (guint i = 0; lines != NULL && i < lines->len; i++) {
        const struct prompt_line *line = lines->pdata[i];
        if (line->values->len > 0 || line->negative != NULL) {
            error_usage(error,
                        "It has options, which are those of `svdiff generate`; draw with that, and "
                        "give the folder with --pictures.");
            prompt_line_blame(line, path, error);
            return false;
        }
        if (!prompt_check("--prompts", line->prompt, error)) {
            prompt_line_blame(line, path, error);
            return false;
        }
        g_ptr_array_add(prompts, g_strdup(line->prompt));
    }
    return lines != NULL;
}

GPtrArray *evaluate_prompts_read(char *const *list, GError **error)
{
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);

    for (; list != NULL && *list != NULL; list++) {
        if (is_file(*list)) {
            if (!add_file(prompts, *list, error)) {
                return NULL;
            }
        } else if (prompt_check("--prompts", *list, error)) {
            g_ptr_array_add(prompts, g_strdup(*list));
        } else {
            return NULL;
        }
    }
    if (prompts->len == 0) {
        error_usage(error,
                    "Say what the pictures were, or are to be, drawn of with --prompts TEXT or "
                    "--prompts FILE.");
        return NULL;
    }
    return g_steal_pointer(&prompts);
}

void evaluate_prompts_guard(char *const *list, output_guard *guard)
{
    for (; list != NULL && *list != NULL; list++) {
        output_guard_reads(guard, *list);
    }
}

/* ---- one text ---- */

// "fox" of "a fox"
static char *without_article(const char *thing)
{
    static const char *const articles[] = {"a ", "an ", "the "};

    for (size_t i = 0; i < G_N_ELEMENTS(articles); i++) {
        if (g_str_has_prefix(thing, articles[i])) {
            return g_strdup(thing + strlen(articles[i]));
        }
    }
    return g_strdup(thing);
}

char **evaluate_classes(const char *file, const char *said, GError **error)
{
    g_auto(GStrv) things = file != NULL ? svdiff_subject_things(file, error) : g_new0(char *, 2);
    GPtrArray *classes = g_ptr_array_new();

    for (int i = 0; things != NULL && (i == 0 || things[i] != NULL); i++) {
        const char *thing = said != NULL ? said : things[i] != NULL ? things[i] : "";
        g_ptr_array_add(classes, without_article(thing));
    }
    g_ptr_array_add(classes, NULL);
    char **list = (char **)g_ptr_array_free(classes, FALSE);
    if (things == NULL) {
        g_clear_pointer(&list, g_strfreev);
    }
    return list;
}

char *evaluate_prompt_plain(const char *prompt, char *const *classes, GError **error)
{
    const int n = (int)g_strv_length((char **)classes);

    if (prompt_has_placeholder(prompt) && (n == 0 || classes[0][0] == '\0')) {
        error_usage(error,
                    "--prompts: nobody says what the [V] of '%s' is, which no picture can be "
                    "compared with; say it with --class TEXT, such as --class fox.",
                    prompt);
        return NULL;
    }
    return prompt_classes(prompt, (const char *const *)classes, n);
}

char *evaluate_prompt_drawn(const char *prompt, const struct svdiff_scaled_subject *subject,
                            GError **error)
{
    struct subject_words words;
    char *drawn = NULL;

    if (subject_words_open(&words, subject, 1, error)) {
        // one that is not called by a word of its own is spoken of in whatever way it was learned
        if (g_array_index(words.list, struct subject_word, 0).word != NULL &&
            !prompt_has_placeholder(prompt)) {
            error_usage(
                error,
                "--prompts: '%s' has no [V], so that %s would not be drawn; write it before "
                "what the subject is, as in 'a [V] fox'.",
                prompt, subject->file);
        } else {
            drawn = subject_words_put(&words, prompt);
        }
    }
    subject_words_close(&words);
    return drawn;
}
