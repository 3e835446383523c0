/* Strict reading of JSON: what the grammar allows is read, everything else is refused in a
 * sentence. */
#include "engine/base/error.h"
#include "engine/base/json.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static JsonNode *parse(const char *text, GError **error)
{
    return json_parse_strict(text, strlen(text), "a.json", error);
}

static void test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) root = parse(
        " {\"a\": -12, \"b\":[1,2 , "
        "3],\"c\":{\"d\":1.5e2},\t\"e\":\"\\u00e4\\ud83d\\ude00\\n\",\r\n"
        "\"f\":true,\"g\":null,\"big\":1000000000000000019884624838656,\"none\":[],\"o\":{}} ",
        &error);
    g_assert_no_error(error);
    JsonObject *o = json_root_object(root, "a.json", &error);
    int64_t a = 0, list[3] = {0}, kept = 7;
    size_t count = 9;
    double big = 0, d = 0, whole = 0;
    bool f = false;
    const char *e = NULL;
    JsonObject *c = NULL;
    g_assert_true(json_get_int(o, "a.json", "a", JSON_REQUIRED, -12, 5, &a, &error));
    g_assert_cmpint(a, ==, -12);
    g_assert_true(json_get_double(o, "a.json", "a", JSON_REQUIRED, -12, 0, &whole, &error));
    g_assert_cmpfloat(whole, ==, -12.0);
    g_assert_true(
        json_get_int_array(o, "a.json", "b", JSON_REQUIRED, 1, 3, list, 3, &count, &error));
    g_assert_cmpint(count, ==, 3);
    g_assert_cmpint(list[2], ==, 3);
    g_assert_true(json_get_object(o, "a.json", "c", JSON_REQUIRED, &c, &error));
    g_assert_true(json_get_double(c, "a.json", "d", JSON_REQUIRED, 0, 150, &d, &error));
    g_assert_cmpfloat(d, ==, 150.0);
    g_assert_true(json_get_string(o, "a.json", "e", JSON_REQUIRED, &e, &error));
    g_assert_cmpstr(e, ==, "ä😀\n");
    g_assert_true(json_get_bool(o, "a.json", "f", JSON_REQUIRED, &f, &error));
    g_assert_true(f);
    g_assert_true(json_get_double(o, "a.json", "big", JSON_REQUIRED, 0, 1e30, &big, &error));
    g_assert_cmpfloat(big, >, 1e29);
    g_assert_false(json_get_double(o, "a.json", "big", JSON_REQUIRED, 0, 1e29, &big, &error));
    g_assert_nonnull(strstr(error->message, "\"big\" must be a number from 0 to 1e+29"));
    g_clear_error(&error);
    g_assert_true(json_get_int(o, "a.json", "g", JSON_OPTIONAL, 0, 5, &kept, &error));
    g_assert_true(json_get_int(o, "a.json", "absent", JSON_OPTIONAL, 0, 5, &kept, &error));
    g_assert_cmpint(kept, ==, 7);
    g_assert_no_error(error);
}

// integers as json-glib would bend them: each must be refused where a whole number is asked
static void test_kinds(void)
{
    static const char *const bad[] = {
        "4.5", "18446744073709551615", "\"7\"", "true", "[1]", "null", "{}", "1e3", "-1", "101"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("{\"heads\":%s}", bad[i]);
        g_autoptr(JsonNode) root = parse(text, &error);
        g_assert_no_error(error);
        int64_t value = 1;
        g_assert_false(json_get_int(json_node_get_object(root), "a.json", "heads", JSON_REQUIRED, 0,
                                    100, &value, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "a.json: \"heads\""));
        g_assert_cmpint(value, ==, 1);
    }
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1}{",
        "{\"a\":1} x",
        "{'a':1}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{\"a\":1,\"a\":1}",
        "{\"x\":{\"b\":1,\"c\":2,\"b\":3}}",
        "{\"a\":1,\"\\u0061\":1}",
        "// c\n{}",
        "/* c */ {}",
        "var x = {};",
        "010",
        "+1",
        "-",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x10",
        "1e999",
        "NaN",
        "Infinity",
        "+Infinity",
        "nul",
        "True",
        "\"a",
        "\"a\nb\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0000\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"\\",
        "\"\xff\"",
        "\xef\xbb\xbf{}",
        "[1 2]",
        "[",
        "\f1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) root = parse(bad[i], &error);
        g_autofree char *shown = g_strescape(bad[i], NULL);
        g_test_message("%s", shown);
        g_assert_null(root);
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_assert_true(g_str_has_prefix(error->message, "a.json: line "));
        g_assert_true(g_str_has_suffix(error->message, "."));
    }
}

// a zero byte inside the text, and text without a zero behind it
static void test_length(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) zero = json_parse_strict("[1]\0", 4, "a.json", &error);
    g_assert_null(zero);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_clear_error(&error);
    g_autofree char *exact = g_memdup2("[12", 3);
    g_autoptr(JsonNode) cut = json_parse_strict(exact, 3, "a.json", &error);
    g_assert_null(cut);
    g_assert_nonnull(strstr(error->message, "line 1, column 4"));
}

static JsonNode *parse_nested(int depth, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < depth; i++) {
        g_string_append(text, i % 2 ? "[" : "{\"a\":");
    }
    g_string_append(text, "1");
    for (int i = depth - 1; i >= 0; i--) {
        g_string_append(text, i % 2 ? "]" : "}");
    }
    return json_parse_strict(text->str, text->len, "a.json", error);
}

static void test_bounds(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) fits = parse_nested(JSON_MAX_DEPTH, &error);
    g_assert_no_error(error);
    g_autoptr(JsonNode) deep = parse_nested(JSON_MAX_DEPTH + 1, &error);
    g_assert_null(deep);
    g_assert_nonnull(strstr(error->message, "nested deeper"));
    g_clear_error(&error);
    g_autoptr(JsonNode) deeper = parse_nested(1000000, &error);
    g_assert_null(deeper);
    g_clear_error(&error);
    g_autoptr(GString) many = g_string_new("[");
    for (int i = 0; i < JSON_MAX_VALUES; i++) {
        g_string_append(many, i ? ",0" : "0");
    }
    g_string_append(many, "]");
    g_autoptr(JsonNode) wide = json_parse_strict(many->str, many->len, "a.json", &error);
    g_assert_null(wide);
    g_assert_nonnull(strstr(error->message, "values"));
}

static void refuse_path(const char *path, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) root = json_read_file(path, 16, &error);
    g_assert_null(root);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, sentence));
}

static void test_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("svdiff-json-XXXXXX", &error);
    g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_assert_no_error(error);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    refuse_path(pipe, "a regular file is needed");
    refuse_path(folder, "a regular file is needed");
    refuse_path("/dev/zero", "a regular file is needed");
    refuse_path(file, "cannot be opened");
    g_assert_true(g_file_set_contents(file, "[1, 2, 3, 4, 5, 6]", -1, &error));
    refuse_path(file, "at most 16");
    g_assert_true(g_file_set_contents(file, "{\"a\": 1}", -1, &error));
    g_autoptr(JsonNode) root = json_read_file(file, 16, &error);
    g_assert_no_error(error);
    g_assert_nonnull(json_root_object(root, file, &error));
    g_unlink(file);
    g_unlink(pipe);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/values", test_values);
    g_test_add_func("/json/kinds", test_kinds);
    g_test_add_func("/json/refused", test_refused);
    g_test_add_func("/json/length", test_length);
    g_test_add_func("/json/bounds", test_bounds);
    g_test_add_func("/json/files", test_files);
    return g_test_run();
}
