/* picture.h: pictures and masks in memory and in files.
 *
 *   g_autoptr(picture) p = picture_read("cat.jpg", 2, &error);
 *   picture_flatten(p, (const float[3]){1, 1, 1});
 *   picture_write("cat.tif", p, NULL, 0, &error);
 *
 * Pixels are as svdiff.h says. What a file says of its colours is applied when it is read:
 * profiles, and the chunks of PNG; a file that says nothing is sRGB. The origin is not copied with
 * the pixels.
 *
 * Errors are SVDIFF_ERROR_FAILED sentences that name the file, where nothing else is said. */
#pragma once

#include "engine/svdiff.h"

#define PICTURE_SIDE_MAX 16384                           // pixels
#define PICTURE_FILE_MAX (G_GUINT64_CONSTANT(512) << 20) // bytes

typedef svdiff_picture picture;

// One text that travels with a written picture. key: 1 to 79 ASCII characters; value: UTF-8.
struct picture_text {
    const char *key, *value;
};

/* A picture whose pixels are not set yet, or NULL with an error when there is no memory for it. */
picture *picture_create(int width, int height, int channels, GError **error);
void picture_free(picture *p); // accepts NULL

/* Size, channels and pixels. Owned by the caller; NULL with an error. */
picture *picture_copy(const picture *p, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(picture, picture_free)

/* n channels of `from`, a picture of the same size, from channel k on become those of p from `first`
 * on. */
void picture_take_channels(picture *p, int first, const picture *from, int k, int n);

/* Reads a PNG, JPEG, WebP or TIFF file: 8 and 16 bits, TIFF also 32 bits and float, grey, palette,
 * CMYK and alpha; the EXIF or TIFF orientation is applied. The result has 3 or 4 channels.
 * minimum: the least width and height that are good enough (at least 1).
 * Refused before decoding: what is not a regular file, more than PICTURE_FILE_MAX bytes, more than
 * PICTURE_SIDE_MAX pixels a side. Refused after it: a file that ends early, values that are not
 * numbers. Float values outside 0..1 are clamped. The caller frees the result. */
picture *picture_read(const char *path, int minimum, GError **error);

/* What a person should know of a picture that was read, a sentence: a profile that was left out.
 * NULL for nothing. Borrowed. */
const char *picture_warning(const picture *p);

// what kind its file was, which a picture that was read or began with it remembers
bool picture_was_cmyk(const picture *p);
bool picture_was_grey(const picture *p);

/* The same as a mask of 1 channel: luminance (0.299, 0.587, 0.114 of R'G'B') times alpha. Masks are
 * no colours: the values of the file count, whatever it says of them. */
picture *picture_read_mask(const char *path, int minimum, GError **error);

/* Puts a picture with alpha on one colour, in place: c * a + background * (1 - a), 4 channels
 * become 3 (and 2 of grey 1). Others stay as they are. */
void picture_flatten(picture *p, const float background[3]);

/* Whether picture_write knows the extension of this name: `.png`, `.tif`, `.tiff`, `.jpg`, `.jpeg`,
 * `.webp` in any case. false with SVDIFF_ERROR_USAGE if not; to be asked before long work. */
bool picture_check_name(const char *path, GError **error);

// Whether what such a file holds is not exactly what was written, and whether it can be clear.
bool picture_name_is_lossy(const char *path);
bool picture_name_has_alpha(const char *path);

/* Writes a picture, whole or not at all: a file beside it is written, synced and renamed.
 * `.png`: 8 bits a channel, or 16 where the picture that it began with had more than 8, rounded to
 * nearest; each text is a tEXt chunk when it is Latin-1, else an iTXt chunk. `.tif`: 32-bit float,
 * the texts as "key: value" paragraphs of ImageDescription. `.jpg` (on white) and `.webp`: 8 bits,
 * lossy, the texts in EXIF's user comment.
 *
 * sRGB without a profile; what was painted into a picture is in that picture's own space with its
 * profile, and grey if it was grey (picture_origin.h). */
bool picture_write(const char *path, const picture *p, const struct picture_text *texts,
                   size_t n_texts, GError **error);

#define PICTURE_QUALITY 90

struct picture_writing {
    int quality; // 1 to 100, of lossy formats; 0: PICTURE_QUALITY
    const struct picture_text *texts;
    size_t n_texts;
};

// the same with more to say
bool picture_write_with(const char *path, const picture *p, const struct picture_writing *w,
                        GError **error);

/* A PNG file in memory, as picture_write makes it, without texts. Owned by the caller
 * (g_bytes_unref); NULL with an error. */
GBytes *picture_to_png(const picture *p, GError **error);

/* And back: of 1 to `maximum` pixels a side, 3 or 4 channels. name: what a sentence calls it. The
 * caller frees the result. */
picture *picture_from_png(const void *data, size_t size, int maximum, const char *name,
                          GError **error);
