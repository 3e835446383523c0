/* What the command says of a model, kept by the plug-in until a file of the model changes. */
#include "plugin/info.h"

#include "tests/temporary_folder.h"

#include <stdio.h>

// of what the UNet's config says, in place, so that no folder becomes another
static void replace_side(const char *model, const char *old, const char *new)
{
    g_autofree char *path = g_build_filename(model, "unet", "config.json", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, old, -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    FILE *file = fopen(path, "w");
    g_assert_nonnull(file);
    fprintf(file, "%s%s%s", parts[0], new, parts[1]);
    g_assert_cmpint(fclose(file), ==, 0);
}

static void test_changes(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *from = g_test_build_filename(G_TEST_DIST, "fixtures", "models", "sd1", NULL);
    g_autofree char *model = g_build_filename(folder, "sd1", NULL);
    const char *const copy[] = {"cp", "-r", from, model, NULL};

    g_assert_true(g_spawn_sync(NULL, (char **)copy, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    JsonObject *first = info_of(model);
    g_assert_cmpint(info_side(first), ==, 128);
    g_assert_true(info_of(model) == first);
    replace_side(model, "\"sample_size\": 16", "\"sample_size\": 8");
    g_assert_cmpint(info_side(info_of(model)), ==, 64);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/info/changes", test_changes);
    return g_test_run();
}
