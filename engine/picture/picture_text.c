/* Texts of picture files; see picture_text.h. A PNG's chunk is a length, a type, its bytes and a checksum of 4 bytes. */
#include "engine/picture/picture_text.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"
#include "engine/picture/picture_exif.h"

#include <stdbool.h>
#include <string.h>

#define SIGNATURE    "\x89PNG\r\n\x1a\n"
#define HEAD_BYTES   8 // length and type
#define SUM_BYTES    4
#define LONGEST_TEXT (1 << 20) // bytes; what people write is far below it

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// past the next n zeros, each of which ends a text; NULL: there are fewer
static const char *skip_texts(const char *at, const char *end, int n)
{
    for (; n > 0 && at != NULL; n--) {
        const char *zero = memchr(at, 0, (size_t)(end - at));
        at = zero != NULL ? zero + 1 : NULL;
    }
    return at;
}

static char *fail(const char *path, const char *problem, GError **error)
{
    error_failed(error, "%s: %s.", path, problem);
    return NULL;
}

// of a chunk that has the key: its text as UTF-8
static char *decode(const char *path, const char *type, const char *bytes, size_t n, GError **error)
{
    static const char damaged[] = "the text in it is damaged; get another copy of the picture";
    const char *end = bytes + n, *text = skip_texts(bytes, end, 1);
    char *decoded = NULL;

    if (strcmp(type, "iTXt") == 0) {
        // whether it is compressed, and how; then the language and the key in that language
        if (text == NULL || end - text < 2 || text[0] != 0) {
            return fail(path, "the text in it is compressed; save the picture without that", error);
        }
        text = skip_texts(text + 2, end, 2);
        decoded = text != NULL ? g_strndup(text, (gsize)(end - text)) : NULL;
    } else if (text != NULL) {
        decoded = g_convert(text, (gssize)(end - text), "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
    }
    // a zero in it would hide what follows
    if (decoded == NULL || memchr(text, 0, (size_t)(end - text)) != NULL ||
        !g_utf8_validate(decoded, -1, NULL)) {
        g_free(decoded);
        return fail(path, damaged, error);
    }
    return decoded;
}

static bool has_key(const char *bytes, size_t n, const char *key)
{
    return n > strlen(key) && memcmp(bytes, key, strlen(key) + 1) == 0;
}

// the text of the chunk at `at`, whose length is known to be in the file; NULL without an error: another
static char *read_chunk(const struct regular_file *file, const char *type, int64_t at,
                        uint32_t length, const char *key, GError **error)
{
    if (strcmp(type, "tEXt") != 0 && strcmp(type, "iTXt") != 0 && strcmp(type, "zTXt") != 0) {
        return NULL;
    }
    g_autofree char *bytes = g_malloc(MIN(length, LONGEST_TEXT) + 1);
    const size_t n = MIN(length, LONGEST_TEXT);
    if (!regular_file_read(file, bytes, n, at, error) || !has_key(bytes, n, key)) {
        return NULL;
    }
    if (length > LONGEST_TEXT) {
        return fail(file->path, "the text in it is longer than any that says how it was drawn",
                    error);
    }
    if (strcmp(type, "zTXt") == 0) {
        return fail(file->path, "the text in it is compressed; save the picture without that",
                    error);
    }
    return decode(file->path, type, bytes, n, error);
}

// NULL without an error: it has no such text
static char *read_png(const struct regular_file *file, const char *key, GError **error)
{
    uint8_t head[HEAD_BYTES];
    int64_t at = HEAD_BYTES;

    while (file->size - at >= HEAD_BYTES + SUM_BYTES) {
        GError *problem = NULL;
        if (!regular_file_read(file, head, HEAD_BYTES, at, error)) {
            return NULL;
        }
        const uint32_t length = big_endian(head);
        const char type[5] = {(char)head[4], (char)head[5], (char)head[6], (char)head[7], 0};
        if (length > file->size - at - HEAD_BYTES - SUM_BYTES) {
            return fail(file->path, "the picture is cut off; get another copy", error);
        }
        char *text = read_chunk(file, type, at + HEAD_BYTES, length, key, &problem);
        if (text != NULL || problem != NULL) {
            if (problem != NULL) {
                g_propagate_error(error, problem);
            }
            return text;
        }
        at += HEAD_BYTES + (int64_t)length + SUM_BYTES;
    }
    return NULL;
}

char *picture_text_read(const char *path, const char *key, GError **error)
{
    g_autoptr(regular_file) file = regular_file_open(path, error);
    g_autoptr(GError) problem = NULL;
    uint8_t head[HEAD_BYTES];

    if (file == NULL) {
        return NULL;
    }
    const bool png = file->size >= HEAD_BYTES &&
                     regular_file_read(file, head, HEAD_BYTES, 0, NULL) &&
                     memcmp(head, SIGNATURE, HEAD_BYTES) == 0;
    char *text = png ? read_png(file, key, &problem) : picture_exif_read(file, &problem);
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    } else if (text == NULL) {
        return fail(path,
                    "it does not say how it was drawn; only PNG, JPEG and WebP pictures do that, "
                    "whose program writes it into them",
                    error);
    }
    return text;
}
