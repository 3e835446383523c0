/* The tokenizer against transformers 5: the ids of every prompt of the fixtures are the same; then
 * cutting, placeholders, and what is refused. */
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/text/tokenizer.h"

#include <string.h>

static char *fixture(const char *name)
{
    const char *folder = g_getenv("SVDIFF_TESTS_DIR");
    return g_build_filename(folder ? folder : ".", "fixtures", "tokenizer", name, NULL);
}

static struct tokenizer *open_fixture(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fixture(name);
    struct tokenizer *t = tokenizer_open(folder, &error);
    g_assert_no_error(error);
    return t;
}

static JsonNode *read_list(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture(name);
    JsonNode *root = json_read_file(path, 1 << 20, &error);
    g_assert_no_error(error);
    g_assert_true(JSON_NODE_HOLDS_ARRAY(root));
    return root;
}

// encodes to length ids and compares them with the first of the reference, cut and padded alike
static void check_length(const struct tokenizer *t, const char *text, JsonArray *expected,
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

static guint check_prompts(const struct tokenizer *t, JsonArray *prompts)
{
    for (guint i = 0; i < json_array_get_length(prompts); i++) {
        JsonObject *prompt = json_array_get_object_element(prompts, i);
        const char *text = json_object_get_string_member(prompt, "text");
        JsonArray *ids = json_object_get_array_member(prompt, "ids");
        int count = (int)json_array_get_length(ids);
        g_autofree char *shown = g_strescape(text, NULL);

        g_test_message("%s", shown);
        g_assert_cmpint(tokenizer_count(t, text), ==, count - 2);
        check_length(t, text, ids, count);
        check_length(t, text, ids, 77);
        check_length(t, text, ids, 6);
        check_length(t, text, ids, 2);
    }
    return json_array_get_length(prompts);
}

static void test_prompts(void)
{
    g_autoptr(tokenizer) t = open_fixture("cut");
    g_autoptr(JsonNode) list = read_list("prompts.json");
    g_assert_cmpint(check_prompts(t, json_node_get_array(list)), >=, 1000);
}

static void test_whole(void)
{
    g_autoptr(tokenizer) t = open_fixture("whole");
    g_autoptr(JsonNode) list = read_list("whole.json");
    g_assert_cmpint(check_prompts(t, json_node_get_array(list)), >=, 100);
    g_assert_cmpint(tokenizer_pad(t), ==, 0);
}

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

// what is left out is quoted as it was written, from the first token that has no place
static void test_left_out(void)
{
    static const struct {
        const char *text, *left_out;
        int length;
    } cases[] = {
        {"A Photo of a CAT", NULL, 7},
        {"A Photo of a CAT", "CAT", 6},
        {"A Photo  of a\tCAT \n", "of a\tCAT", 4},
        {"A Photo", "A Photo", 2},
        {"photo, Photo , PHOTO", ", PHOTO", 5},
        {"İ\u00a0\u00a0 É Dog", "Dog", 7},
        {"e\u0301\u0301 Dog's  tail", "Dog's  tail", 6},
        {"e\u0301\u0301 Dog's  tail", "'s  tail", 7},
        {"e\u0301\u0301 Dog's  tail", "tail", 8},
        {"a <|endoftext|> B", "<|endoftext|> B", 3},
        {"a <|STARTOFTEXT|> B", "<|STARTOFTEXT|> B", 3},
        {"photo   ", NULL, 3},
        {"DogDogDog photo", "gDog photo", 5},
    };
    g_autoptr(tokenizer) t = open_fixture("cut");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *left_out = NULL;
        int32_t ids[77];
        g_test_message("case %d", (int)i);
        g_assert_true(tokenizer_encode(t, cases[i].text, cases[i].length, ids, &left_out, &error));
        g_assert_cmpstr(left_out, ==, cases[i].left_out);
    }
}

static void test_words(void)
{
    g_autoptr(tokenizer) t = open_fixture("cut");
    g_autoptr(tokenizer) other = open_fixture("whole");

    g_assert_cmpint(tokenizer_size(t), ==, tokenizer_eos(t) + 1);
    g_assert_cmpint(tokenizer_bos(t), ==, tokenizer_eos(t) - 1);
    g_assert_cmpint(tokenizer_pad(t), ==, tokenizer_eos(t));
    g_assert_cmpint(tokenizer_id(t, "<|endoftext|>"), ==, tokenizer_eos(t));
    g_assert_cmpint(tokenizer_id(t, "!"), ==, 256);
    g_assert_cmpint(tokenizer_id(t, "sks"), >, 0);
    g_assert_cmpint(tokenizer_id(t, "sks"), ==, tokenizer_id(t, " SKS "));
    g_assert_cmpint(tokenizer_id(t, "sks dog"), ==, -1);
    g_assert_cmpint(tokenizer_id(t, "qqqqq"), ==, -1);
    g_assert_cmpint(tokenizer_id(t, ""), ==, -1);
    g_assert_cmpint(tokenizer_id(t, "\xff"), ==, -1);
    g_assert_true(tokenizer_is_word(t, "sks"));
    g_assert_false(tokenizer_is_word(t, "sks dog"));
    g_assert_false(tokenizer_is_word(t, "<|endoftext|>"));
    g_assert_true(tokenizer_is_word(t, "!"));
    g_assert_false(tokenizer_is_word(other, "!")); // the padding token there
}

// the rarest words first: no vowels, three letters, the last id; never one that means something
static void test_rare_words(void)
{
    g_autoptr(tokenizer) t = open_fixture("cut");
    g_auto(GStrv) words = tokenizer_rare_words(t, 20);

    g_assert_cmpint(g_strv_length(words), ==, 20);
    g_assert_cmpstr(words[0], ==, "rcn");
    g_assert_cmpstr(words[1], ==, "hmv");
    g_assert_false(g_strv_contains((const char *const *)words, "sks"));
    for (int i = 0; words[i]; i++) {
        g_assert_true(tokenizer_is_word(t, words[i]));
    }
    g_auto(GStrv) none = tokenizer_rare_words(t, 0);
    g_assert_cmpint(g_strv_length(none), ==, 0);
}

// a text of unit repeated up to a number of bytes
static char *repeat(const char *unit, size_t bytes)
{
    GString *text = g_string_sized_new(bytes);
    while (text->len + strlen(unit) <= bytes) {
        g_string_append(text, unit);
    }
    return g_string_free(text, FALSE);
}

// what must not take the square of a million steps: merges, composing, dropping blanks
static void test_long(void)
{
    static const char *const units[] = {"a", "ab", "e\u0301", "é", "한", "  ", "'s", "1", "a <|"};
    g_autoptr(tokenizer) t = open_fixture("cut");

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = repeat(units[i], TOKENIZER_MAX_TEXT);
        g_autofree char *left_out = NULL;
        int32_t ids[77];
        g_assert_true(tokenizer_encode(t, text, 77, ids, &left_out, &error));
        g_assert_no_error(error);
        g_assert_true((left_out != NULL) == (units[i][0] != ' '));
        g_assert_true(!left_out || g_str_has_suffix(text, left_out));
    }
}

static void refuse_text(const struct tokenizer *t, const char *text, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    int32_t ids[77];

    g_assert_false(tokenizer_encode(t, text, 77, ids, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, sentence));
    g_assert_cmpint(tokenizer_count(t, text), ==, -1);
    g_assert_cmpint(tokenizer_id(t, text), ==, -1);
}

static void test_refused_texts(void)
{
    static const char *const bad[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "cat \xf5"};
    g_autoptr(tokenizer) t = open_fixture("cut");
    g_autofree char *huge = repeat("a", TOKENIZER_MAX_TEXT + 1);
    g_autofree char *marks = repeat("\u0301", 2 * TOKENIZER_MAX_MARKS);
    g_autofree char *more_marks = g_strconcat(marks, "\u0301", NULL);
    g_autoptr(GError) error = NULL;
    int32_t ids[77];

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        refuse_text(t, bad[i], "not UTF-8");
    }
    refuse_text(t, huge, "bytes; shorten it");
    refuse_text(t, more_marks, "combining marks");
    g_assert_cmpint(tokenizer_count(t, marks), >, 0);
    g_assert_false(tokenizer_encode(t, "a", 1, ids, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
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
}

static void test_missing(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fixture("");
    g_autoptr(tokenizer) t = tokenizer_open(folder, &error);
    g_assert_null(t);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "vocab.json"));
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
    g_assert_cmpint(tokenizer_size(t), ==, 7); // <|startoftext|> is new
    g_assert_cmpint(tokenizer_id(t, "x"), ==, -1);
    g_assert_cmpint(tokenizer_id(t, "<|endoftext|>"), ==, 5);
    g_assert_cmpint(tokenizer_id(t, "ab"), ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer/prompts", test_prompts);
    g_test_add_func("/tokenizer/whole", test_whole);
    g_test_add_func("/tokenizer/variants", test_variants);
    g_test_add_func("/tokenizer/left-out", test_left_out);
    g_test_add_func("/tokenizer/words", test_words);
    g_test_add_func("/tokenizer/rare-words", test_rare_words);
    g_test_add_func("/tokenizer/long", test_long);
    g_test_add_func("/tokenizer/refused-texts", test_refused_texts);
    g_test_add_func("/tokenizer/refused-files", test_refused_files);
    g_test_add_func("/tokenizer/missing", test_missing);
    g_test_add_func("/tokenizer/unknown", test_unknown);
    return g_test_run();
}
