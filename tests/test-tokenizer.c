/* The tokenizer against transformers 5: the ids of every prompt of the fixtures are the same; then
 * cutting, placeholders, and what is refused. */
#include "engine/base/error.h"
#include "engine/text/prompt_chunks.h"
#include "tests/tokenizer_fixture.h"

#include <string.h>

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
    g_assert_true(tokenizer_encode(t, marks, 77, ids, NULL, &error));
    g_assert_false(tokenizer_encode(t, "a", 1, ids, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
}

// the vectors of a textual inversion are in one chunk, as A1111's program puts them
static void test_vectors(void)
{
    static const struct tokenizer_word word = {.text = "glow", .id = 100000, .n = 5};
    static const struct {
        int before, chunks, at; // tokens before it, chunks, and where its first vector is
    } cases[] = {{70, 1, 71}, {71, 2, 78}, {74, 2, 78}, {75, 2, 78}, {76, 2, 79}};
    g_autoptr(tokenizer) t = open_fixture("cut");
    g_autoptr(tokenizer) with = tokenizer_with_words(t, &word, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        struct prompt_chunks c;
        for (int k = 0; k < cases[i].before; k++) {
            g_string_append(text, "photo ");
        }
        g_string_append(text, "glow");
        g_assert_true(prompt_chunks_make(&c, with, text->str, 77, NULL));
        g_assert_cmpint(c.n, ==, cases[i].chunks);
        for (int k = 0; k < word.n; k++) {
            g_assert_cmpint(c.ids[cases[i].at + k], ==, word.id + k);
        }
        prompt_chunks_clear(&c);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer/prompts", test_prompts);
    g_test_add_func("/tokenizer/whole", test_whole);
    g_test_add_func("/tokenizer/left-out", test_left_out);
    g_test_add_func("/tokenizer/words", test_words);
    g_test_add_func("/tokenizer/rare-words", test_rare_words);
    g_test_add_func("/tokenizer/long", test_long);
    g_test_add_func("/tokenizer/vectors", test_vectors);
    g_test_add_func("/tokenizer/refused-texts", test_refused_texts);
    return g_test_run();
}
