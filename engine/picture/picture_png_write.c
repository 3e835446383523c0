/* Writing PNG files by libpng: 8 or 16 bits a channel, with texts and what the colours are.
 *
 * As when reading, libpng reports an error by a long jump; what must survive it lies in one
 * structure, and only the functions named *_or_jump are called under it. */
#include "engine/picture/picture_codec.h"

#include "engine/picture/picture_png_colour.h"

#include <math.h>
#include <png.h>
#include <string.h>

struct png_output {
    png_structp png;
    png_infop info;
    char message[128]; // libpng's own, when it jumped
    GByteArray *bytes; // or NULL, and the sheet's file
    GError **error;
    bool refused; // by the file, with an error set
    const struct picture_sheet *sheet;
    GBytes *profile; // an iCCP chunk, or NULL
    uint8_t *row;
    png_textp texts;
};

static void on_error(png_structp png, png_const_charp message)
{
    struct png_output *out = png_get_error_ptr(png);

    g_strlcpy(out->message, message, sizeof(out->message));
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
}

static void on_write(png_structp png, png_bytep data, png_size_t size)
{
    struct png_output *out = png_get_io_ptr(png);

    if (out->bytes != NULL) {
        g_byte_array_append(out->bytes, data, (guint)size);
    } else if (!atomic_file_write(out->sheet->file, data, size, out->error)) {
        // the file's own error says more than libpng's
        out->refused = true;
        // jumps: nothing of this function is left to be freed
        png_error(png, "write");
    }
}

// the file is synced when it is committed
static void on_flush(png_structp png)
{
}

// tEXt holds Latin-1 without control characters other than the line feed
static bool fits_latin1(const char *text)
{
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        const gunichar c = g_utf8_get_char(at);
        if (c > 0xff || (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0)) {
            return false;
        }
    }
    return true;
}

// the entries for libpng; what must be freed with them is kept in `kept`
static png_textp encode_texts(const struct picture_text *texts, size_t n_texts, GPtrArray *kept)
{
    png_textp out = g_new0(png_text, n_texts);

    g_ptr_array_add(kept, out);
    for (size_t i = 0; i < n_texts; i++) {
        g_autofree char *valid = g_utf8_make_valid(texts[i].value, -1);
        // tEXt where it can be: every reader knows it, not all know iTXt
        const bool latin1 = fits_latin1(valid);
        char *value = latin1 ? g_convert(valid, -1, "ISO-8859-1", "UTF-8", NULL, NULL, NULL)
                             : g_steal_pointer(&valid);

        g_ptr_array_add(kept, value);
        out[i].compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        out[i].key = (char *)texts[i].key;
        out[i].text = value;
        out[i].text_length = latin1 ? strlen(value) : 0;
        out[i].itxt_length = latin1 ? 0 : strlen(value);
    }
    return out;
}

// the high byte first
static void row_16(const picture *p, int y, uint8_t *row)
{
    const size_t n = (size_t)p->width * p->channels;
    const float *from = p->pixels + n * y;

    for (size_t i = 0; i < n; i++) {
        const long value = lrintf(CLAMP(from[i], 0.0f, 1.0f) * 65535.0f);
        row[2 * i] = (uint8_t)(value >> 8);
        row[2 * i + 1] = (uint8_t)(value & 255);
    }
}

static void write_rows_or_jump(struct png_output *out)
{
    const struct picture_sheet *sheet = out->sheet;

    for (int y = 0; y < sheet->p->height; y++) {
        (sheet->bits == 16 ? row_16 : picture_row_8)(sheet->p, y, out->row);
        png_write_row(out->png, out->row);
    }
}

static bool write_all(struct png_output *out)
{
    const int types[] = {[1] = PNG_COLOR_TYPE_GRAY,
                         [2] = PNG_COLOR_TYPE_GRAY_ALPHA,
                         [3] = PNG_COLOR_TYPE_RGB,
                         [4] = PNG_COLOR_TYPE_RGB_ALPHA};
    const struct picture_sheet *sheet = out->sheet;

    if (setjmp(png_jmpbuf(out->png))) {
        return false;
    }
    png_set_write_fn(out->png, out, on_write, on_flush);
    png_set_IHDR(out->png, out->info, sheet->p->width, sheet->p->height, sheet->bits,
                 types[sheet->p->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_text(out->png, out->info, out->texts, (int)sheet->n_texts);
    // chunks of colours have to stand before the palette and the pixels
    png_write_info_before_PLTE(out->png, out->info);
    picture_png_write_colours(out->png, sheet->chunks, out->profile);
    png_write_info(out->png, out->info);
    write_rows_or_jump(out);
    png_write_end(out->png, out->info);
    return true;
}

static bool write_to(struct png_output *out)
{
    const struct picture_sheet *sheet = out->sheet;
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    bool done = false;

    out->texts = encode_texts(sheet->texts, sheet->n_texts, kept);
    out->profile = picture_png_profile(sheet->icc, sheet->chunks);
    out->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, out, on_error, on_warning);
    out->info = out->png ? png_create_info_struct(out->png) : NULL;
    out->row = g_try_malloc_n(sheet->p->width, sheet->p->channels * (sheet->bits / 8));
    if (out->info && out->row) {
        done = write_all(out);
    }
    if (!done && !out->refused) {
        picture_set_unmade(sheet, "PNG", out->message, out->error);
    }
    png_destroy_write_struct(&out->png, &out->info);
    g_free(out->row);
    g_clear_pointer(&out->profile, g_bytes_unref);
    return done;
}

bool picture_png_write(const struct picture_sheet *sheet, GError **error)
{
    struct png_output out = {.sheet = sheet, .error = error};

    return write_to(&out);
}

GBytes *picture_to_png(const picture *p, GError **error)
{
    static const struct picture_chunks none;
    const struct picture_sheet sheet = {
        .path = "a picture in memory", .p = p, .bits = 8, .chunks = &none};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct png_output out = {.bytes = bytes, .sheet = &sheet, .error = error};

    return write_to(&out) ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}
