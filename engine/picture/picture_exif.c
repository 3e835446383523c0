/* Texts as EXIF data; see picture_exif.h. A small TIFF file in the big byte order: the first
 * directory has one entry, the place of EXIF's own, and that has one, the user comment:
 *
 *   0  MM 0 42, 8   8  1 entry: 0x8769, 26   26  1 entry: 0x9286, 44   44  UNICODE 0, UTF-16 */
#include "engine/picture/picture_exif.h"

#include <stdint.h>

#define TEXT_AT 52 // where UTF-16 begins

static void put_16(GByteArray *to, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

    g_byte_array_append(to, bytes, 2);
}

static void put_32(GByteArray *to, unsigned value)
{
    put_16(to, value >> 16);
    put_16(to, value & 0xffff);
}

// a directory of one entry, and no other behind it
static void put_directory(GByteArray *to, unsigned tag, unsigned type, unsigned count,
                          unsigned value)
{
    put_16(to, 1);
    put_16(to, tag);
    put_16(to, type);
    put_32(to, count);
    put_32(to, value);
    put_32(to, 0);
}

static char *join(const struct picture_text *texts, size_t n_texts)
{
    GString *all = g_string_new(NULL);

    for (size_t i = 0; i < n_texts; i++) {
        // a text alone needs no name before it
        if (n_texts > 1) {
            g_string_append_printf(all, "%s%s: ", i > 0 ? "\n\n" : "", texts[i].key);
        }
        g_string_append(all, texts[i].value);
    }
    return g_string_free(all, FALSE);
}

GBytes *picture_exif_texts(const struct picture_text *texts, size_t n_texts, size_t most)
{
    g_autofree char *joined = join(texts, n_texts);
    // prompts may be raw bytes of the command line
    g_autofree char *valid = g_utf8_make_valid(joined, -1);
    glong length = 0;
    g_autofree gunichar2 *utf16 = g_utf8_to_utf16(valid, -1, NULL, &length, NULL);
    GByteArray *exif;

    if (n_texts == 0 || !utf16 || most < TEXT_AT) {
        return NULL;
    }
    // a JPEG's segment has an end; the rest of a very long text is left out
    length = MIN(length, (glong)((most - TEXT_AT) / 2));
    exif = g_byte_array_new();
    g_byte_array_append(exif, (const guint8 *)"MM\0\x2a\0\0\0\x08", 8);
    // type 4 is a long: the offset of the next directory
    put_directory(exif, 0x8769, 4, 1, 26);
    // type 7 is bytes without a meaning of their own, which begin with the name of their encoding
    put_directory(exif, 0x9286, 7, (unsigned)(8 + 2 * length), 44);
    g_byte_array_append(exif, (const guint8 *)"UNICODE", 8);
    for (glong i = 0; i < length; i++) {
        put_16(exif, utf16[i]);
    }
    return g_byte_array_free_to_bytes(exif);
}
