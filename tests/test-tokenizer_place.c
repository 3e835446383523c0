/* Which tokenizer a model is read with: the one that a person names, the model's own, the one that
 * ships; and what fills prompts up by family. */
#include "engine/model/tokenizer_place.h"

#include "engine/base/error.h"
#include "tests/edited_model.h"

static struct tokenizer_place find(const char *path, const char *named)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(path, &error);
    struct tokenizer_place place;

    g_assert_no_error(error);
    g_assert_true(tokenizer_place_find(model, named, &place, &error));
    g_assert_no_error(error);
    return place;
}

static void assert_place(const char *path, const char *named, const char *folder, const char *pad,
                         bool counts)
{
    struct tokenizer_place place = find(path, named);

    g_assert_cmpstr(place.folder, ==, folder);
    g_assert_cmpstr(place.pad, ==, pad);
    g_assert_true(place.pad_counts == counts);
    g_free(place.folder);
}

static void test_own(void)
{
    g_autofree char *sd1 = fixture_path("sd1"), *sd2 = fixture_path("sd2.safetensors");
    g_autofree char *first = g_build_filename(sd1, "tokenizer", NULL);
    g_autofree char *second = fixture_path("sd2.config/tokenizer");

    assert_place(sd1, NULL, first, "<|endoftext|>", false);
    assert_place(sd2, NULL, second, "!", false);
}

// of a folder with a whole model its tokenizer is meant
static void test_named(void)
{
    g_autofree char *sd1 = fixture_path("sd1"), *sd2 = fixture_path("sd2");
    g_autofree char *first = g_build_filename(sd1, "tokenizer", NULL);

    assert_place(sd2, first, first, "!", true);
    assert_place(sd2, sd1, first, "!", true);
    assert_place(sd1, "/no/such/folder", "/no/such/folder", "<|endoftext|>", true);
}

// as many tokens as CLIP, or more, and no folder: what ships; fewer: a sentence
static void test_shipped(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autoptr(GError) error = NULL;
    struct tokenizer_place place;

    rename_file(copy, "tokenizer", "elsewhere");
    g_autoptr(checkpoint) small = checkpoint_open(copy, &error);
    g_assert_false(tokenizer_place_find(small, NULL, &place, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, copy));
    g_assert_nonnull(strstr(error->message, "--tokenizer"));
    g_clear_error(&error);

    edit_weights(
        copy, "text_encoder/model.safetensors",
        (struct edit){.name = "text_model.embeddings.token_embedding.weight", .rows = 49408});
    edit_text(copy, "text_encoder/config.json", "\"vocab_size\": 833", "\"vocab_size\": 49408");
    place = find(copy, NULL);
    g_assert_true(g_str_has_suffix(place.folder, "/clip"));
    g_assert_cmpstr(place.pad, ==, "<|endoftext|>");
    g_assert_true(place.pad_counts);
    g_free(place.folder);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer_place/own", test_own);
    g_test_add_func("/tokenizer_place/named", test_named);
    g_test_add_func("/tokenizer_place/shipped", test_shipped);
    return g_test_run();
}
