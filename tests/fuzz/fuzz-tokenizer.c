/* Any bytes as a prompt, or as the files of a tokenizer and a prompt.
 *
 * Without a zero byte the input is a prompt for a small built-in tokenizer. With zeros it is up to
 * eight parts: vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json,
 * added_tokens.json, tokenizer.json, prompt, padding token; an empty part is a file that is not
 * there. A padding token of an odd length counts before what the files say. */
#include "engine/text/tokenizer.h"
#include "tests/fuzz/replay.h"

#include <string.h>

#define PARTS 8

// GPT-2's character for a byte
static gunichar character(int byte)
{
    bool printing = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    int before = byte <= 0x20 ? byte : byte <= 0xA0 ? byte - 0x7F + 33 : 67;
    return (gunichar)(printing ? byte : 256 + before);
}

// all bytes, a few merges and the two special tokens
static struct tokenizer *built_in(void)
{
    static const char merges[] = "a b\na b</w>\nab ab\n' s</w>\nd o\ndo g</w>\n";
    g_autoptr(GString) text = g_string_new("{\"ab\":512,\"ab</w>\":513,\"abab\":514,\"'s</w>\":515,"
                                           "\"do\":516,\"dog</w>\":517,\"<|startoftext|>\":518,"
                                           "\"<|endoftext|>\":519");
    for (int i = 0; i < 512; i++) {
        gunichar c = character(i % 256);
        g_string_append(text, ",\"");
        g_string_append(text, c == '"' || c == '\\' ? "\\" : "");
        g_string_append_unichar(text, c);
        g_string_append_printf(text, "%s\":%d", i < 256 ? "" : "</w>", i);
    }
    g_string_append_c(text, '}');
    struct tokenizer_files files = {.vocabulary = {text->str, text->len},
                                    .merges = {merges, sizeof merges - 1}};
    return tokenizer_from_files(&files, "built-in", NULL);
}

// what must hold for every prompt
static void check_prompt(const struct tokenizer *t, const char *prompt)
{
    enum { LENGTH = 16 };
    // no token is less than a byte of the normalised text, which has at most three times the bytes
    const int enough = 3 * (int)strlen(prompt) + LENGTH;
    int32_t ids[LENGTH];
    g_autofree int32_t *all = g_new(int32_t, enough);
    g_autofree char *left_out = NULL, *rest = NULL;
    g_autoptr(GError) error = NULL;

    if (!tokenizer_encode(t, prompt, LENGTH, ids, &left_out, &error)) {
        g_assert_nonnull(error);
        return;
    }
    g_assert_true(tokenizer_encode(t, prompt, enough, all, &rest, NULL));
    g_assert_null(rest);
    g_assert_cmpmem(ids, (LENGTH - 1) * sizeof *ids, all, (LENGTH - 1) * sizeof *all);
    g_assert_true(left_out ? ids[LENGTH - 1] == tokenizer_eos(t) && strstr(prompt, left_out)
                           : ids[LENGTH - 1] == all[LENGTH - 1]);
    for (int i = 0; i < LENGTH; i++) {
        g_assert_cmpint(ids[i], >=, 0);
    }
    g_assert_true(tokenizer_id(t, prompt) == -1 ||
                  (tokenizer_id(t, prompt) == all[1] && all[2] == tokenizer_eos(t)));
}

// the next part, which ends at a zero or the end
static struct tokenizer_file next_part(const char **at, const char *end)
{
    struct tokenizer_file part = {NULL, 0};
    const char *zero = *at < end ? memchr(*at, 0, (size_t)(end - *at)) : NULL;
    const char *stop = zero ? zero : end;

    if (stop > *at) {
        part = (struct tokenizer_file){*at, (size_t)(stop - *at)};
    }
    *at = zero ? zero + 1 : end;
    return part;
}

static void check_files(const char *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    struct tokenizer_file parts[PARTS];
    const char *at = data;

    for (int i = 0; i < PARTS; i++) {
        parts[i] = next_part(&at, data + size);
    }
    g_autofree char *pad = parts[7].data ? g_strndup(parts[7].data, parts[7].length) : NULL;
    struct tokenizer_files files = {.pad = pad,
                                    .pad_counts = parts[7].length % 2 == 1,
                                    .whole = parts[5],
                                    .vocabulary = parts[0],
                                    .merges = parts[1],
                                    .config = parts[2],
                                    .special = parts[3],
                                    .added = parts[4]};
    g_autoptr(tokenizer) t = tokenizer_from_files(&files, "fuzz", &error);
    g_assert_true((t != NULL) == (error == NULL));
    if (t) {
        g_autofree char *prompt = g_strndup(parts[6].data ? parts[6].data : "", parts[6].length);
        g_auto(GStrv) words = tokenizer_rare_words(t, 4);
        g_assert_cmpint(g_strv_length(words), <=, 4);
        check_prompt(t, prompt);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *small;

    if (memchr(data, 0, size)) {
        check_files((const char *)data, size);
        return 0;
    }
    if (!small) {
        small = built_in();
    }
    g_autofree char *prompt = g_strndup((const char *)data, size);
    check_prompt(small, prompt);
    return 0;
}
