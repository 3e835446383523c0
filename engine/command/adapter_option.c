/* Adapters on the command line and in prompts; see adapter_option.h. */
#include "engine/command/adapter_option.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/command/settings_text.h"

#include <string.h>

// more could not be told apart by the bits of a region
#define MARKS_MAX 64

static void clear_one(void *adapter)
{
    g_free((char *)((struct svdiff_adapter *)adapter)->file);
}

static void clear_word(void *embedding)
{
    g_free((char *)((struct svdiff_embedding *)embedding)->file);
    g_free((char *)((struct svdiff_embedding *)embedding)->word);
}

// "glow.pt=a glow"; what exists under all of it is that file
static void take_words(struct adapter_options *o, char *const *list)
{
    for (; list != NULL && *list != NULL; list++) {
        const char *equals = strrchr(*list, '=');
        g_autofree char *whole = adapter_lookup_path(EMBEDDING_FOLDER, *list);
        const bool file = equals == NULL || g_file_test(whole, G_FILE_TEST_EXISTS);
        g_autofree char *name = file ? g_strdup(*list) : g_strndup(*list, (gsize)(equals - *list));
        const struct svdiff_embedding one = {
            .file = adapter_lookup_path(EMBEDDING_FOLDER, name),
            .word = file || equals[1] == '\0' ? NULL : g_strdup(equals + 1)};
        g_array_append_val(o->embeddings, one);
    }
}

struct adapter_options adapter_options_take(const struct given *g, bool words)
{
    struct adapter_options o = {g_array_new(FALSE, TRUE, sizeof(struct svdiff_adapter)),
                                g_array_new(FALSE, TRUE, sizeof(struct svdiff_embedding))};
    char *const *list = given_list(g, "lora");

    g_array_set_clear_func(o.all, clear_one);
    g_array_set_clear_func(o.embeddings, clear_word);
    take_words(&o, words ? given_list(g, "embedding") : NULL);
    for (; list != NULL && *list != NULL; list++) {
        struct svdiff_adapter one;
        one.file = svdiff_adapter_split(*list, &one.strength);
        g_array_append_val(o.all, one);
    }
    return o;
}

void adapter_options_finish(struct adapter_options *o)
{
    g_clear_pointer(&o->all, g_array_unref);
    g_clear_pointer(&o->embeddings, g_array_unref);
}

const struct svdiff_adapter *adapter_options_list(const struct adapter_options *o)
{
    return (const void *)o->all->data;
}

int adapter_options_count(const struct adapter_options *o)
{
    return (int)o->all->len;
}

const struct svdiff_embedding *adapter_options_words(const struct adapter_options *o, int *n)
{
    *n = (int)o->embeddings->len;
    return (const void *)o->embeddings->data;
}

void adapter_options_guard(const struct adapter_options *o, output_guard *guard)
{
    for (guint i = 0; i < o->all->len; i++) {
        output_guard_reads(guard, g_array_index(o->all, struct svdiff_adapter, i).file);
    }
    for (guint i = 0; i < o->embeddings->len; i++) {
        output_guard_reads(guard, g_array_index(o->embeddings, struct svdiff_embedding, i).file);
    }
}

/* ---- in texts ---- */

// its number, or where it is nowhere -1
static int find_or_add(struct adapter_options *o, const char *name)
{
    for (guint i = 0; i < o->all->len; i++) {
        const char *file = g_array_index(o->all, struct svdiff_adapter, i).file;
        g_autofree char *own = adapter_lookup_name(file);
        if (strcmp(own, name) == 0 || strcmp(file, name) == 0) {
            return (int)i;
        }
    }
    g_autofree char *path = adapter_lookup_path(ADAPTER_FOLDER, name);
    if (o->all->len >= MARKS_MAX || !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        return -1;
    }
    const struct svdiff_adapter one = {.file = g_steal_pointer(&path), .strength = 1};
    g_array_append_val(o->all, one);
    return (int)o->all->len - 1;
}

// "style:0.8", or "style:0.8:1" with a strength of the text encoder that is the same here
static int take_mark(struct adapter_options *o, const char *inside)
{
    g_auto(GStrv) parts = g_strsplit(inside, ":", 2);
    const int i = find_or_add(o, g_strstrip(parts[0]));
    char *end = NULL;

    if (i >= 0 && parts[1] != NULL) {
        const double strength = g_ascii_strtod(parts[1], &end);
        if (end != parts[1]) {
            g_array_index(o->all, struct svdiff_adapter, i).strength = strength;
        }
    }
    return i;
}

uint64_t adapter_options_marks(struct adapter_options *o, char **text, char **missing)
{
    g_autoptr(GRegex) regex =
        g_regex_new(" ?<(?:lora|lyco) *:([^<>]*)>", G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    uint64_t bits = 0;

    *missing = NULL;
    g_regex_match(regex, *text, 0, &match);
    while (g_match_info_matches(match)) {
        g_autofree char *inside = g_match_info_fetch(match, 1);
        const int i = take_mark(o, inside);
        if (i < 0 && *missing == NULL) {
            *missing = g_steal_pointer(&inside);
        }
        bits |= i >= 0 && i < MARKS_MAX ? UINT64_C(1) << i : 0;
        g_match_info_next(match, NULL);
    }
    char *plain = g_regex_replace_literal(regex, *text, -1, 0, "", 0, NULL);
    g_free(*text);
    *text = plain;
    return bits;
}

char *adapter_options_text(const struct svdiff_adapter *list, int n, uint64_t bits)
{
    GString *text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < n; i++) {
        if (i >= 64 || (bits & (UINT64_C(1) << i))) {
            g_autofree char *name = adapter_lookup_name(list[i].file);
            g_ascii_formatd(number, sizeof number, "%.6g", list[i].strength);
            g_string_append_printf(text, " <lora:%s:%s>", name, number);
        }
    }
    return g_string_free(text, FALSE);
}

char *adapter_options_files(const char *vae, const struct svdiff_embedding *embeddings, int n)
{
    GString *list = g_string_new(NULL);

    for (int i = 0; i < n; i++) {
        g_autofree char *name = g_path_get_basename(embeddings[i].file);
        g_string_append_printf(list, "%s%s%s%s", i == 0 ? "" : ", ", name,
                               embeddings[i].word != NULL ? "=" : "",
                               embeddings[i].word != NULL ? embeddings[i].word : "");
    }
    // names may have what divides values
    g_autofree char *words = settings_text_quote(g_string_free(list, FALSE));
    g_autofree char *name =
        vae != NULL ? settings_text_quote(g_path_get_basename(vae)) : g_strdup("");
    return g_strconcat(vae != NULL ? ", VAE: " : "", name, n > 0 ? ", Embeddings: " : "", words,
                       NULL);
}
