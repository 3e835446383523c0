/* What the colours of a PNG file are; see picture_png_colour.h. Chunks that are no profile become
 * one, so that there is one way to convert, and are kept to be written as they were.
 *
 *   cICP  code points of ITU-T H.273: primaries and curve
 *   cHRM  chromaticities; without gAMA with sRGB's curve
 *   gAMA  sample ^ (1 / gamma) is light; without cHRM with sRGB's primaries
 *
 * A gamma of 0.45455 with sRGB's primaries or none is how programs that know no sRGB chunk say
 * sRGB. */
#include "engine/picture/picture_png_colour.h"

#include <gio/gio.h>
#include <string.h>

#define GAMMA_SRGB 45455 // of 100000

#define PROFILE_MAX (16u << 20) // bytes; the largest that printers have are some MB

// the chunks by their names, and how much of each is read
static const struct {
    const char *name;
    size_t size;
} kinds[PICTURE_CHUNKS] = {
    [PICTURE_CHUNK_SRGB] = {"sRGB", 1},
    [PICTURE_CHUNK_GAMMA] = {"gAMA", 4},
    [PICTURE_CHUNK_PRIMARIES] = {"cHRM", 32},
    [PICTURE_CHUNK_CODES] = {"cICP", 4},
};

void picture_png_keep_colours(png_structp png)
{
    static const char names[] = "cICP\0iCCP\0sRGB\0gAMA\0cHRM";

    // as raw bytes: libpng's own handling changes or drops what it does not like
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep)names, 5);
}

// the content of the first such chunk; NULL if there is none of at least `least` bytes
static const uint8_t *find_chunk(png_structp png, png_infop info, const char *name, size_t least,
                                 size_t *size)
{
    png_unknown_chunkp chunks = NULL;
    const int n = png_get_unknown_chunks(png, info, &chunks);

    for (int i = 0; i < n; i++) {
        if (memcmp(chunks[i].name, name, 4) == 0 && chunks[i].size >= least) {
            *size = chunks[i].size;
            return chunks[i].data;
        }
    }
    return NULL;
}

// keeps the chunk of a kind; its content, or NULL where the file has none
static const uint8_t *keep_chunk(png_structp png, png_infop info, struct picture_chunks *c,
                                 enum picture_chunk kind)
{
    size_t size;
    const uint8_t *found = find_chunk(png, info, kinds[kind].name, kinds[kind].size, &size);

    c->has[kind] = found != NULL;
    return found ? memcpy(c->bytes[kind], found, kinds[kind].size) : NULL;
}

// number i of a chunk, which has the high byte first
static int32_t number_of(const struct picture_chunks *c, enum picture_chunk kind, int i)
{
    uint32_t big;

    memcpy(&big, c->bytes[kind] + 4 * i, 4);
    return (int32_t)GUINT32_FROM_BE(big);
}

/* ---- code points ---- */

// x, y of white, red, green, blue; H.273, table 2
static const struct {
    int code;
    double xy[8];
} code_primaries[] = {
    {1, {0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060}},
    {4, {0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08}},
    {5, {0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06}},
    {6, {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    {7, {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    {9, {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046}},
    {11, {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
    {12, {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
};

// from sample to light; H.273, table 3; what is brighter than white (16, 18) is not here
static const struct picture_curve video = {4, {1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081}},
                                  power_2_2 = {1, {2.2}}, power_2_8 = {1, {2.8}}, linear = {1, {1}};

static const struct {
    int code;
    const struct picture_curve *curve;
} code_curves[] = {
    {1, &video},  {4, &power_2_2},           {5, &power_2_8}, {6, &video},
    {8, &linear}, {13, &picture_srgb_curve}, {14, &video},    {15, &video},
};

// NULL for what is not known; RGB (matrix 0) in the full range alone
static GBytes *profile_of_codes(enum picture_space space, const uint8_t codes[4])
{
    const struct picture_curve *curve = NULL;
    const double *xy = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(code_primaries); i++) {
        // the two are chosen apart: any primaries go with any curve
        xy = code_primaries[i].code == codes[0] ? code_primaries[i].xy : xy;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(code_curves); i++) {
        curve = code_curves[i].code == codes[1] ? code_curves[i].curve : curve;
    }
    return xy && curve && codes[2] == 0 && codes[3] == 1 ? picture_profile_make(space, xy, curve)
                                                         : NULL;
}

static bool is_srgb_code(const uint8_t codes[4])
{
    return codes[0] == 1 && codes[1] == 13 && codes[2] == 0 && codes[3] == 1;
}

/* ---- gamma and chromaticities ---- */

static bool has_srgb_primaries(const struct picture_chunks *c)
{
    bool same = true;

    for (int i = 0; i < 8 && c->has[PICTURE_CHUNK_PRIMARIES]; i++) {
        const int usual = (int)(100000 * picture_srgb_xy[i] + 0.5);
        // a thousandth: programs round these numbers in different ways
        same = same && ABS(number_of(c, PICTURE_CHUNK_PRIMARIES, i) - usual) <= 100;
    }
    return same;
}

// NULL: sRGB, or numbers that make no sense
static GBytes *profile_of_gamma(enum picture_space space, const struct picture_chunks *c)
{
    const bool usual = has_srgb_primaries(c) || space == PICTURE_GREY;
    const bool has_gamma = c->has[PICTURE_CHUNK_GAMMA];
    const int32_t gamma = number_of(c, PICTURE_CHUNK_GAMMA, 0);
    struct picture_curve curve = picture_srgb_curve;
    double xy[8];

    // converting by a curve that is nearly sRGB's would change every sample for nothing
    if (usual && (!has_gamma || ABS(gamma - GAMMA_SRGB) <= 10)) {
        return NULL;
    }
    if (has_gamma) {
        // the file has the exponent of the way from light to sample
        curve = (struct picture_curve){1, {100000.0 / gamma}};
    }
    for (int i = 0; i < 8; i++) {
        xy[i] = c->has[PICTURE_CHUNK_PRIMARIES]
                    ? number_of(c, PICTURE_CHUNK_PRIMARIES, i) / 100000.0
                    : picture_srgb_xy[i];
    }
    return picture_profile_make(space, xy, &curve);
}

/* ---- a profile ---- */

// what zlib packed, whole; NULL for damage. Owned by the caller
static GBytes *unpack(const uint8_t *data, size_t size)
{
    g_autoptr(GZlibDecompressor) zlib = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
    g_autoptr(GInputStream) memory = g_memory_input_stream_new_from_data(data, (gssize)size, NULL);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, G_CONVERTER(zlib));
    g_autoptr(GByteArray) all = g_byte_array_new();
    uint8_t part[4096];
    gssize n;

    while ((n = g_input_stream_read(stream, part, sizeof part, NULL, NULL)) > 0) {
        g_byte_array_append(all, part, (guint)n);
        // a few bytes can unpack to gigabytes
        if (all->len > PROFILE_MAX) {
            return NULL;
        }
    }
    return n == 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&all)) : NULL;
}

/* ---- reading ---- */

static bool take_code_points(png_structp png, png_infop info, picture *p, const char *path)
{
    struct picture_origin *o = picture_origin_of(p);
    const uint8_t *codes = keep_chunk(png, info, &o->chunks, PICTURE_CHUNK_CODES);

    // sRGB needs no profile, but its chunk is written again
    if (codes && !is_srgb_code(codes)) {
        o->icc = profile_of_codes(o->space, codes);
        o->chunks.has[PICTURE_CHUNK_CODES] = o->icc != NULL;
        if (!o->icc) {
            picture_origin_warn(p, path, "(cICP) is one of video that is not known here");
        }
    }
    return o->chunks.has[PICTURE_CHUNK_CODES];
}

// iCCP: a name, 0, 0 for zlib, and the packed profile; what is of no use is told and left out
static bool take_profile(png_structp png, png_infop info, picture *p, const char *path)
{
    struct picture_origin *o = picture_origin_of(p);
    size_t size;
    const uint8_t *chunk = find_chunk(png, info, "iCCP", 0, &size);
    // a name of 1 to 79 bytes, ended by 0
    const uint8_t *name_end = chunk ? memchr(chunk, 0, MIN(size, 80)) : NULL;
    const char *problem = "is damaged";

    if (!chunk) {
        return false;
    }
    if (name_end && name_end + 2 < chunk + size && name_end[1] == 0) {
        o->icc = unpack(name_end + 2, (size_t)(chunk + size - (name_end + 2)));
    }
    if (!o->icc || !picture_profile_check(o->icc, o->space, &problem)) {
        picture_origin_warn(p, path, problem);
        g_clear_pointer(&o->icc, g_bytes_unref);
    }
    return o->icc != NULL;
}

static void take_chunks(png_structp png, png_infop info, picture *p)
{
    struct picture_origin *o = picture_origin_of(p);

    keep_chunk(png, info, &o->chunks, PICTURE_CHUNK_PRIMARIES);
    if (keep_chunk(png, info, &o->chunks, PICTURE_CHUNK_GAMMA)) {
        // 0 is no exponent, and the format has no negative numbers
        o->chunks.has[PICTURE_CHUNK_GAMMA] = number_of(&o->chunks, PICTURE_CHUNK_GAMMA, 0) > 0;
    }
    if (!keep_chunk(png, info, &o->chunks, PICTURE_CHUNK_SRGB)) {
        o->icc = profile_of_gamma(o->space, &o->chunks);
    }
}

void picture_png_read_colours(png_structp png, png_infop info, picture *p, const char *path,
                              bool bad_profile)
{
    const int type = png_get_color_type(png, info);
    struct picture_origin *o = picture_origin_of(p);

    o->bits = png_get_bit_depth(png, info) == 16 ? 16 : 8;
    o->space = type & PNG_COLOR_MASK_COLOR ? PICTURE_RGB : PICTURE_GREY;
    if (bad_profile) {
        picture_origin_warn(p, path, "is damaged");
    }
    // the order of PNG's third edition: cICP, iCCP, sRGB, then gAMA and cHRM
    if (!take_code_points(png, info, p, path) && !take_profile(png, info, p, path)) {
        take_chunks(png, info, p);
    }
}

/* ---- writing ---- */

// zlib's format, as PNG wants it; owned by the caller
static GBytes *compress(GBytes *data)
{
    g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream = g_converter_output_stream_new(memory, G_CONVERTER(zlib));
    gsize size;
    const void *bytes = g_bytes_get_data(data, &size);

    g_output_stream_write_all(stream, bytes, size, NULL, NULL, NULL);
    g_output_stream_close(stream, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

/* The content of an iCCP chunk. libpng's own way looks into the profile and leaves out what it does
 * not like; a profile that was converted with must be there. */
GBytes *picture_png_profile(GBytes *icc, const struct picture_chunks *chunks)
{
    // a profile that was made from chunks is written as these chunks
    if (!icc || chunks->has[PICTURE_CHUNK_GAMMA] || chunks->has[PICTURE_CHUNK_PRIMARIES] ||
        chunks->has[PICTURE_CHUNK_CODES]) {
        return NULL;
    }
    g_autoptr(GByteArray) chunk = g_byte_array_new();
    g_autoptr(GBytes) packed = compress(icc);
    gsize size;
    const void *bytes = g_bytes_get_data(packed, &size);

    g_byte_array_append(chunk, (const guint8 *)"ICC profile\0", 13);
    g_byte_array_append(chunk, bytes, (guint)size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&chunk));
}

void picture_png_write_colours(png_structp png, const struct picture_chunks *chunks,
                               GBytes *profile)
{
    for (int k = 0; k < PICTURE_CHUNKS; k++) {
        if (chunks->has[k]) {
            png_write_chunk(png, (png_const_bytep)kinds[k].name, chunks->bytes[k], kinds[k].size);
        }
    }
    if (profile) {
        png_write_chunk(png, (png_const_bytep) "iCCP", g_bytes_get_data(profile, NULL),
                        g_bytes_get_size(profile));
    }
}
