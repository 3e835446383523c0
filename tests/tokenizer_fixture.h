/* tokenizer_fixture.h: tests/fixtures/tokenizer, and prompts whose ids it holds. */
#pragma once

#include "engine/base/json.h"
#include "engine/text/tokenizer.h"

static inline char *fixture(const char *name)
{
    const char *folder = g_getenv("SVDIFF_TESTS_DIR");
    return g_build_filename(folder ? folder : ".", "fixtures", "tokenizer", name, NULL);
}

static inline struct tokenizer *open_fixture(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fixture(name);
    struct tokenizer *t = tokenizer_open(folder, NULL, false, &error);
    g_assert_no_error(error);
    return t;
}

static inline JsonNode *read_list(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture(name);
    JsonNode *root = json_read_file(path, 1 << 20, &error);
    g_assert_no_error(error);
    g_assert_true(JSON_NODE_HOLDS_ARRAY(root));
    return root;
}

// the tokens that begin and fill a prompt
static inline int32_t tokenizer_bos(const struct tokenizer *t)
{
    int32_t ids[3];

    g_assert_true(tokenizer_encode(t, "", 3, ids, NULL, NULL));
    return ids[0];
}

static inline int32_t tokenizer_pad(const struct tokenizer *t)
{
    int32_t ids[3];

    g_assert_true(tokenizer_encode(t, "", 3, ids, NULL, NULL));
    return ids[2];
}

// encodes to length ids and compares them with the first of the reference, cut and padded alike
static inline void check_length(const struct tokenizer *t, const char *text, JsonArray *expected,
                                int length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *left_out = NULL;
    g_autofree int32_t *ids = g_new(int32_t, length);
    int count = (int)json_array_get_length(expected);

    g_assert_true(tokenizer_encode(t, text, length, ids, &left_out, &error));
    g_assert_no_error(error);
    for (int i = 0; i < length; i++) {
        int64_t id = i >= count        ? tokenizer_pad(t)
                     : i == length - 1 ? tokenizer_eos(t)
                                       : json_array_get_int_element(expected, (guint)i);
        g_assert_cmpint(ids[i], ==, id);
    }
    g_assert_cmpint(left_out != NULL, ==, count > length);
    g_assert_true(!left_out || *left_out);
}

static inline guint check_prompts(const struct tokenizer *t, JsonArray *prompts)
{
    for (guint i = 0; i < json_array_get_length(prompts); i++) {
        JsonObject *prompt = json_array_get_object_element(prompts, i);
        const char *text = json_object_get_string_member(prompt, "text");
        JsonArray *ids = json_object_get_array_member(prompt, "ids");
        int count = (int)json_array_get_length(ids);
        g_autofree char *shown = g_strescape(text, NULL);

        g_test_message("%s", shown);
        check_length(t, text, ids, count);
        check_length(t, text, ids, 77);
        check_length(t, text, ids, 6);
        check_length(t, text, ids, 2);
    }
    return json_array_get_length(prompts);
}
