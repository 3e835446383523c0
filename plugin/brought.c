/* What a person brings along; see brought.h. */
#include "plugin/brought.h"

#include "plugin/folder.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/subject/subject_lookup.h"

#include <stdbool.h>
#include <string.h>

// what begins a part of the list, where its files lie, and what the command calls it
static const struct {
    const char *word, *folder, *option;
    const char *method; // of learning, that makes one
} kinds[] = {{"lora ", ADAPTER_FOLDER, "--lora", "lora"},
             {"embedding ", EMBEDDING_FOLDER, "--embedding", "textual-inversion"}};

// ; parts the list, and a name that is no UTF-8 cannot be shown
static char *take(const char *file)
{
    char *name = adapter_lookup_take(file);

    if (name != NULL && (!g_utf8_validate(name, -1, NULL) || strpbrk(name, ";\n:") != NULL)) {
        g_clear_pointer(&name, g_free);
    }
    return name;
}

static int compare_names(const void *a, const void *b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

// of one kind, each once: the first folder's counts
static void add_kind(GPtrArray *all, const char *word, const char *kind)
{
    g_auto(GStrv) folders = adapter_lookup_folders(kind);

    for (char **folder = folders; *folder != NULL; folder++) {
        g_auto(GStrv) names = folder_names(*folder, take, compare_names);
        for (char **name = names; *name != NULL; name++) {
            char *part = g_strconcat(word, *name, NULL);
            if (g_ptr_array_find_with_equal_func(all, part, g_str_equal, NULL)) {
                g_free(part);
            } else {
                g_ptr_array_add(all, part);
            }
        }
    }
}

char **brought_names(void)
{
    GPtrArray *all = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        add_kind(all, kinds[i].word, kinds[i].folder);
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}

// its kind, and in *rest what follows the word; -1: the part says none
static int kind_of(const char *part, const char **rest)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(part, kinds[i].word)) {
            *rest = part + strlen(kinds[i].word);
            return (int)i;
        }
    }
    return -1;
}

const char *brought_option(const char *part, const char **rest)
{
    const int kind = kind_of(part, rest);

    return kind >= 0 ? kinds[kind].option : NULL;
}

const char *brought_of_method(const char *method, const char **folder)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(method, kinds[i].method) == 0) {
            *folder = kinds[i].folder;
            return kinds[i].word;
        }
    }
    return NULL;
}

const char *brought_method(const char *name, const char **rest)
{
    const int kind = kind_of(name, rest);

    return kind >= 0 && !subject_is_one(name) ? kinds[kind].method : NULL;
}

char *brought_file(const char *name)
{
    const char *rest;
    const int kind = kind_of(name, &rest);
    g_autofree char *path =
        kind >= 0 && !subject_is_one(name) ? adapter_lookup_path(kinds[kind].folder, rest) : NULL;

    return path != NULL && g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&path)
                                                                     : NULL;
}

const char *brought_among_subjects(const char *part, const char **rest)
{
    const char *option = brought_option(part, rest);

    // the disk is asked only of what begins as these do
    return option != NULL && !subject_is_one(part) ? option : NULL;
}
