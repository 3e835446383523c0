/* EXIF data, read; see picture_exif.h.
 *
 *   JPEG  ff TYPE, two bytes of length with themselves, bytes ...; of type e1 that begins with Exif 0 0
 *   WebP  RIFF length WEBP, then TYPE length bytes ..., a zero behind odd lengths; of type EXIF
 *
 * What it holds is a small TIFF file of either byte order, in which tags lead to the comment (picture_exif.c). */
#include "engine/picture/picture_exif.h"

#include "engine/base/error.h"

#include <string.h>

#define LONGEST     (1 << 20) // bytes of EXIF data; what people write is far below it
#define EXIF_HEAD   "Exif\0"  // and a zero behind it
#define HEAD_BYTES  6
#define CODE_BYTES  8 // the name of the text's encoding
#define ENTRY_BYTES 12

static bool fail(const struct regular_file *file, const char *problem, GError **error)
{
    return error_failed(error, "%s: %s.", file->path, problem);
}

/* ---- where it lies ---- */

// bytes of a file; n 0: there are none
struct place {
    int64_t at, n;
};

// whether these bytes of a segment are EXIF's
static bool begins_exif(const struct regular_file *file, int64_t at, int64_t n)
{
    char head[HEAD_BYTES];

    return n >= HEAD_BYTES && regular_file_read(file, head, HEAD_BYTES, at, NULL) &&
           memcmp(head, EXIF_HEAD, HEAD_BYTES) == 0;
}

static bool find_in_jpeg(const struct regular_file *file, struct place *exif, GError **error)
{
    enum { APP1 = 0xe1, SCAN = 0xda, END = 0xd9 };
    uint8_t head[4];

    for (int64_t at = 2; file->size - at >= 4;) {
        if (!regular_file_read(file, head, sizeof head, at, error)) {
            return false;
        }
        if (head[0] == 0xff && head[1] == 0xff) {
            at++; // a segment may have any number of these before it
            continue;
        }
        // pictures begin here: all that is said of them stands before
        if (head[0] != 0xff || head[1] == SCAN || head[1] == END) {
            return true;
        }
        const int64_t n = (int64_t)head[2] << 8 | head[3];
        if (n < 2 || n > file->size - at - 2) {
            return fail(file, "the picture is cut off; get another copy", error);
        }
        if (head[1] == APP1 && begins_exif(file, at + 4, n - 2)) {
            *exif = (struct place){at + 4 + HEAD_BYTES, n - 2 - HEAD_BYTES};
            return true;
        }
        at += 2 + n;
    }
    return true;
}

static bool find_in_webp(const struct regular_file *file, struct place *exif, GError **error)
{
    uint8_t head[8];

    for (int64_t at = 12; file->size - at >= 8;) {
        if (!regular_file_read(file, head, sizeof head, at, error)) {
            return false;
        }
        const int64_t n = (int64_t)head[7] << 24 | head[6] << 16 | head[5] << 8 | head[4];
        if (n > file->size - at - 8) {
            return fail(file, "the picture is cut off; get another copy", error);
        }
        if (memcmp(head, "EXIF", 4) == 0) {
            // some programs put JPEG's head before it
            const int more = begins_exif(file, at + 8, n) ? HEAD_BYTES : 0;
            *exif = (struct place){at + 8 + more, n - more};
            return true;
        }
        at += 8 + n + n % 2;
    }
    return true;
}

/* ---- what it says ---- */

struct tiff {
    const uint8_t *bytes;
    size_t n;
    bool big; // the byte order
};

// 0 beyond the end
static uint32_t number(const struct tiff *t, size_t at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes && at < t->n && t->n - at >= (size_t)bytes; i++) {
        value = value << 8 | t->bytes[at + (size_t)(t->big ? i : bytes - 1 - i)];
    }
    return value;
}

// where the entry of a tag is in the directory at `at`; 0: nowhere
static size_t find_entry(const struct tiff *t, size_t at, unsigned tag)
{
    const unsigned n = number(t, at, 2);

    for (unsigned i = 0; i < n; i++) {
        const size_t entry = at + 2 + (size_t)i * ENTRY_BYTES;
        if (entry + ENTRY_BYTES > t->n) {
            return 0;
        }
        if (number(t, entry, 2) == tag) {
            return entry;
        }
    }
    return 0;
}

// the bytes of the user comment, the name of their encoding first; *n 0: there are none
static const uint8_t *find_comment(const struct tiff *t, size_t *n)
{
    const size_t exif = find_entry(t, number(t, 4, 4), 0x8769);
    const size_t entry = exif != 0 ? find_entry(t, number(t, exif + 8, 4), 0x9286) : 0;
    const size_t length = entry != 0 ? number(t, entry + 4, 4) : 0;
    const size_t at = entry != 0 ? number(t, entry + 8, 4) : 0;

    // shorter ones would stand in the entry itself, and are no text
    *n = length > CODE_BYTES && at < t->n && length <= t->n - at ? length : 0;
    return t->bytes + (*n > 0 ? at : 0);
}

/* Whether UTF-16 has its high bytes first. Programs disagree whether that is as the data's own order says, but all
 * of them write settings in Latin letters, whose high bytes are zeros. */
static bool is_big(const struct tiff *t, const uint8_t *text, size_t n)
{
    size_t zeros[2] = {0};

    for (size_t i = 0; i < n; i++) {
        zeros[i % 2] += text[i] == 0;
    }
    return zeros[0] == zeros[1] ? t->big : zeros[0] > zeros[1];
}

// the text as UTF-8, without zeros at its end; NULL: it is none
static char *decode(const struct tiff *t, const uint8_t *comment, size_t n)
{
    const uint8_t *text = comment + CODE_BYTES;
    size_t length = n - CODE_BYTES, end = 0;
    char *decoded = NULL;

    if (memcmp(comment, "UNICODE", CODE_BYTES) == 0) {
        decoded = g_convert((const char *)text, (gssize)(length - length % 2), "UTF-8",
                            is_big(t, text, length) ? "UTF-16BE" : "UTF-16LE", NULL, &end, NULL);
    } else if (memcmp(comment, "ASCII\0\0", CODE_BYTES) == 0 ||
               memcmp(comment, "\0\0\0\0\0\0\0", CODE_BYTES) == 0) {
        decoded = g_memdup2(text, length);
        end = length;
    }
    while (decoded != NULL && end > 0 && decoded[end - 1] == '\0') {
        end--;
    }
    // a zero in it would hide what follows
    if (decoded == NULL || !g_utf8_validate_len(decoded, end, NULL)) {
        g_free(decoded);
        return NULL;
    }
    char *ended = g_strndup(decoded, end);
    g_free(decoded);
    return ended;
}

static char *read_exif(const struct regular_file *file, struct place exif, GError **error)
{
    if (exif.n > LONGEST) {
        fail(file, "the text in it is longer than any that says how it was drawn", error);
        return NULL;
    }
    g_autofree uint8_t *bytes = g_malloc((gsize)exif.n);
    if (!regular_file_read(file, bytes, (size_t)exif.n, exif.at, error)) {
        return NULL;
    }
    const struct tiff t = {bytes, (size_t)exif.n, bytes[0] == 'M'};
    size_t n;
    const uint8_t *comment = find_comment(&t, &n);
    char *text = n > 0 ? decode(&t, comment, n) : NULL;
    if (n > 0 && text == NULL) {
        fail(file, "the text in it is damaged; get another copy of the picture", error);
    }
    return text;
}

char *picture_exif_read(const struct regular_file *file, GError **error)
{
    uint8_t head[12] = {0};
    struct place exif = {0};
    bool read = true;

    if (file->size >= (int64_t)sizeof head &&
        !regular_file_read(file, head, sizeof head, 0, error)) {
        return NULL;
    }
    if (memcmp(head, "\xff\xd8\xff", 3) == 0) {
        read = find_in_jpeg(file, &exif, error);
    } else if (memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0) {
        read = find_in_webp(file, &exif, error);
    }
    return read && exif.n > 0 ? read_exif(file, exif, error) : NULL;
}
