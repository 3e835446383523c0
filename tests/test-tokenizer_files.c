/* The files of a tokenizer against transformers 5: what they may say, what ships, and what is
 * refused. */
#include "engine/base/error.h"
#include "engine/model/default_model.h"
#include "tests/tokenizer_fixture.h"

#include <string.h>

// one file of the variant, if it has it
static struct tokenizer_file text_member(JsonObject *variant, const char *key)
{
    const char *text = json_object_get_string_member_with_default(variant, key, NULL);
    return (struct tokenizer_file){text, text ? strlen(text) : 0};
}

static struct tokenizer_file load(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture(name);
    char *data = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &data, &length, &error));
    return (struct tokenizer_file){data, length};
}

static void check_variant(JsonObject *variant, struct tokenizer_files files)
{
    g_autoptr(GError) error = NULL;

    g_test_message("%s", json_object_get_string_member(variant, "name"));
    files.config = text_member(variant, "config");
    files.special = text_member(variant, "special");
    files.added = text_member(variant, "added");
    g_autoptr(tokenizer) t = tokenizer_from_files(&files, "variant", &error);
    g_assert_no_error(error);
    g_assert_cmpint(tokenizer_bos(t), ==, json_object_get_int_member(variant, "bos"));
    g_assert_cmpint(tokenizer_eos(t), ==, json_object_get_int_member(variant, "eos"));
    g_assert_cmpint(tokenizer_pad(t), ==, json_object_get_int_member(variant, "pad"));
    g_assert_cmpint(check_prompts(t, json_object_get_array_member(variant, "prompts")), >=, 30);
}

static void test_variants(void)
{
    g_autoptr(JsonNode) root = read_list("variants.json");
    JsonArray *list = json_node_get_array(root);
    struct tokenizer_files files = {
        .vocabulary = load("cut/vocab.json"),
        .merges = load("cut/merges.txt"),
    };

    for (guint i = 0; i < json_array_get_length(list); i++) {
        check_variant(json_array_get_object_element(list, i), files);
    }
    g_free((char *)files.vocabulary.data);
    g_free((char *)files.merges.data);
}

// tokenizer.json, with tokenizer_config.json or alone
static void test_wholes(void)
{
    g_autoptr(JsonNode) root = read_list("wholes.json");
    JsonArray *list = json_node_get_array(root);

    g_assert_cmpint(json_array_get_length(list), >=, 7);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *variant = json_array_get_object_element(list, i);
        check_variant(variant, (struct tokenizer_files){.whole = text_member(variant, "whole")});
    }
}

// CLIP's vocabulary as it ships, and the two tokens that fill prompts up
static void test_shipped(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = shipped_vocabulary(&error);
    g_autoptr(JsonNode) root = read_list("shipped.json");
    JsonArray *list = json_node_get_array(root);

    g_assert_no_error(error);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *variant = json_array_get_object_element(list, i);
        const char *pad = json_object_get_string_member(variant, "pad");
        g_autoptr(tokenizer) t = tokenizer_open(folder, pad, true, &error);
        g_assert_no_error(error);
        g_assert_cmpint(tokenizer_bos(t), ==, 49406);
        g_assert_cmpint(tokenizer_eos(t), ==, 49407);
        g_assert_cmpint(tokenizer_pad(t), ==, *pad == '!' ? 0 : 49407);
        g_assert_cmpint(check_prompts(t, json_object_get_array_member(variant, "prompts")), >=,
                        280);
    }
}

static void assert_pad(struct tokenizer_files files, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(tokenizer) t = tokenizer_from_files(&files, "folder", &error);

    g_assert_no_error(error);
    g_assert_cmpint(tokenizer_pad(t), ==, tokenizer_id(t, expected));
}

// what the files say counts, then what the model is said to have, then CLIP's; or the second first
static void test_padding(void)
{
    static const char said[] = "{\"pad_token\": \"a</w>\"}", nothing[] = "{}";
    struct tokenizer_files files = {.vocabulary = load("cut/vocab.json"),
                                    .merges = load("cut/merges.txt")};
    const struct tokenizer_file config = {said, strlen(said)}, silent = {nothing, strlen(nothing)};

    assert_pad(files, "<|endoftext|>");
    files.pad = "!";
    assert_pad(files, "!");
    files.config = silent;
    assert_pad(files, "!");
    files.config = config;
    assert_pad(files, "a</w>");
    files.special = silent;
    assert_pad(files, "a</w>");
    files.config = silent;
    files.special = config;
    assert_pad(files, "a</w>");
    files.pad_counts = true;
    assert_pad(files, "!");
    files.config = config;
    assert_pad(files, "!");
    g_free((char *)files.vocabulary.data);
    g_free((char *)files.merges.data);
}

static struct tokenizer_file text_file(const char *text)
{
    return (struct tokenizer_file){text, text ? strlen(text) : 0};
}

// one file of cut/ in another's place: refused, with a sentence that names the file or the folder
static void refuse(const char *vocabulary, const char *merges, const char *config,
                   const char *special, const char *added, const char *whole)
{
    g_autoptr(GError) error = NULL;
    struct tokenizer_file real_vocabulary = load("cut/vocab.json");
    struct tokenizer_file real_merges = load("cut/merges.txt");
    struct tokenizer_files files = {
        .vocabulary = vocabulary ? text_file(vocabulary) : real_vocabulary,
        .merges = merges ? text_file(merges) : real_merges,
        .config = text_file(config),
        .special = text_file(special),
        .added = text_file(added),
        .whole = text_file(whole),
    };
    g_autoptr(tokenizer) t = tokenizer_from_files(&files, "folder", &error);

    g_assert_null(t);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_true(g_str_has_prefix(error->message, "folder"));
    g_assert_true(g_str_has_suffix(error->message, "."));
    g_free((char *)real_vocabulary.data);
    g_free((char *)real_merges.data);
}

// tokenizer.json in every wrong shape
static void refuse_wholes(void)
{
    static const char *const wholes[] = {
        "[]",
        "null",
        "{\"model\":",
        "{\"model\": null}",
        "{\"model\": []}",
        "{\"model\": {}}",
        "{\"model\": {\"vocab\": {}}}",
        "{\"model\": {\"vocab\": [], \"merges\": []}}",
        "{\"model\": {\"vocab\": {}, \"merges\": {}}}",
        "{\"model\": {\"vocab\": {}, \"merges\": []}}",
        "{\"model\": {\"vocab\": {\"a\": 0.5}, \"merges\": []}}",
        "{\"model\": {\"vocab\": {\"a\": null}, \"merges\": []}}",
        "{\"model\": {\"vocab\": {\"a\": 99999999999}, \"merges\": []}}",
        "{\"model\": {\"vocab\": {\"a\": 1, \"a\": 2}, \"merges\": []}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [7]}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [null]}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [\"a\"]}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [\"a b c\"]}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\", 7]]}}",
        "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\", \"b\", \"c\"]]}}",
        "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"b\"]]}}",
        "{\"model\": {\"type\": 7, \"vocab\": {}, \"merges\": []}}",
        "{\"added_tokens\": {}, \"model\": {\"vocab\": {}, \"merges\": []}}",
        "{\"added_tokens\": [7], \"model\": {\"vocab\": {}, \"merges\": []}}",
        "{\"added_tokens\": [{\"id\": -1, \"content\": \"a\"}]}",
        "{\"added_tokens\": [{\"id\": 1}]}",
        "{\"added_tokens\": [{\"content\": \"a\"}]}",
        "{\"added_tokens\": [{\"id\": 1, \"content\": \"a\", \"special\": 1}]}",
    };
    g_autoptr(GString) deep = g_string_new("{\"model\":");

    for (gsize i = 0; i < G_N_ELEMENTS(wholes); i++) {
        g_test_message("%s", wholes[i]);
        refuse(NULL, NULL, NULL, NULL, NULL, wholes[i]);
    }
    for (int i = 0; i < 100000; i++) {
        g_string_append(deep, "{\"a\":");
    }
    refuse(NULL, NULL, NULL, NULL, NULL, deep->str);
}

static void test_refused_files(void)
{
    refuse("{}", NULL, NULL, NULL, NULL, NULL);
    refuse("[]", NULL, NULL, NULL, NULL, NULL);
    refuse("{\"a\": 1, \"a\": 2}", NULL, NULL, NULL, NULL, NULL);
    refuse("{\"a\": -1}", NULL, NULL, NULL, NULL, NULL);
    refuse("{\"a\": 99999999}", NULL, NULL, NULL, NULL, NULL);
    refuse("{\"a\": \"1\"}", NULL, NULL, NULL, NULL, NULL);
    refuse(NULL, "a", NULL, NULL, NULL, NULL);
    refuse(NULL, "a b c", NULL, NULL, NULL, NULL);
    refuse(NULL, "\xff a", NULL, NULL, NULL, NULL);
    refuse(NULL, "q zq", NULL, NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"tokenizer_class\": \"T5Tokenizer\"}", NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"split_special_tokens\": true}", NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"pad_token\": 7}", NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"pad_token\": \"\"}", NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"eos_token\": {}}", NULL, NULL, NULL);
    refuse(NULL, NULL, "{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", NULL, NULL,
           NULL);
    refuse(NULL, NULL, "{\"added_tokens_decoder\": {\"1\": {\"special\": 1}}}", NULL, NULL, NULL);
    refuse(NULL, NULL, NULL, "{\"bos_token\": {\"content\": \"a\", \"lstrip\": 0}}", NULL, NULL);
    refuse(NULL, NULL, NULL, "{\"additional_special_tokens\": [1]}", NULL, NULL);
    refuse(NULL, NULL, NULL, NULL, "{\"<cat>\": \"7\"}", NULL);
    refuse(NULL, NULL, NULL, NULL, NULL, "{}");
    refuse(NULL, NULL, NULL, NULL, NULL, "{\"model\": {\"type\": \"Unigram\"}}");
    refuse(NULL, NULL, NULL, NULL, NULL, "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\"]]}}");
    refuse_wholes();
}

static void test_missing(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fixture("");
    g_autoptr(tokenizer) t = tokenizer_open(folder, NULL, false, &error);
    g_assert_null(t);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "vocab.json"));

    g_autofree char *none = fixture("no-such-folder"), *file = fixture("whole/tokenizer.json");
    g_clear_error(&error);
    g_assert_null(tokenizer_open(none, NULL, false, &error));
    g_assert_nonnull(strstr(error->message, "no-such-folder: there is no such folder"));
    g_clear_error(&error);
    g_assert_null(tokenizer_open(file, NULL, false, &error));
    g_assert_nonnull(strstr(error->message, "tokenizer.json: is no folder"));
}

// a vocabulary without some bytes: those become the unknown token, one for each
static void test_unknown(void)
{
    g_autoptr(GError) error = NULL;
    struct tokenizer_files files = {
        .vocabulary =
            text_file("{\"a\":0,\"b\":1,\"a</w>\":2,\"b</w>\":3,\"ab</w>\":4,\"<|endoftext|>\":5}"),
        .merges = text_file("#version: 0.2\r\na b</w>\r\n\n"),
    };
    g_autoptr(tokenizer) t = tokenizer_from_files(&files, "folder", &error);
    int32_t ids[8], expected[8] = {6, 4, 5, 5, 2, 3, 5, 5};

    g_assert_no_error(error);
    g_assert_true(tokenizer_encode(t, "ab xya b", 8, ids, NULL, &error));
    g_assert_cmpmem(ids, sizeof ids, expected, sizeof expected);
    g_assert_cmpint(tokenizer_id(t, "<|startoftext|>"), ==, 6); // is new
    g_assert_cmpint(tokenizer_id(t, "x"), ==, -1);
    g_assert_cmpint(tokenizer_id(t, "<|endoftext|>"), ==, 5);
    g_assert_cmpint(tokenizer_id(t, "ab"), ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer_files/variants", test_variants);
    g_test_add_func("/tokenizer_files/wholes", test_wholes);
    g_test_add_func("/tokenizer_files/shipped", test_shipped);
    g_test_add_func("/tokenizer_files/padding", test_padding);
    g_test_add_func("/tokenizer_files/refused-files", test_refused_files);
    g_test_add_func("/tokenizer_files/missing", test_missing);
    g_test_add_func("/tokenizer_files/unknown", test_unknown);
    return g_test_run();
}
