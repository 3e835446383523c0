/* picture_codec.h: what the picture formats share; for picture*.c alone.
 *
 * picture_read opens a file and sniffs its first bytes; one codec a format decodes it. Each codec
 * gives its size to picture_create_checked before it decodes, and turns the library's own error
 * into a sentence with picture_set_damaged. Writers append to an atomic file that the caller
 * commits. */
#pragma once

#include "engine/base/atomic_file.h"
#include "engine/picture/picture.h"
#include "engine/picture/picture_origin.h"
#include "engine/base/regular_file.h"

#include <stdint.h>
#include <stdio.h>

// A picture file that is being read. The codec closes nothing.
struct picture_source {
    const char *path;
    struct regular_file *file; // NULL: in memory
    FILE *stream;              // of the same file, at its start
    uint64_t size;             // bytes
    int minimum;               // pixels a side
    int maximum;               // and the most of them; 0: PICTURE_SIDE_MAX
};

picture *picture_png_read(const struct picture_source *source, GError **error);
picture *picture_jpeg_read(const struct picture_source *source, GError **error);
picture *picture_webp_read(const struct picture_source *source, GError **error);
picture *picture_tiff_read(const struct picture_source *source, GError **error);

/* Opens a picture file for reading and fills the source; false with an error for what is not a
 * regular file, is empty or too large. picture_source_close accepts a source that is not open. */
bool picture_source_open(struct picture_source *source, const char *path, int minimum,
                         GError **error);
void picture_source_close(struct picture_source *source);

// What is written; all of it is borrowed.
struct picture_sheet {
    struct atomic_file *file;
    const char *path; // what sentences call it
    const picture *p; // in the file's own space; 1 channel: grey, 2: grey and alpha, 3, 4
    int bits;         // 8 or 16, where the format can have both
    GBytes *icc;      // the profile, or NULL
    const struct picture_chunks *chunks; // what a PNG says of its colours without one
    int quality;                         // 1 to 100, of lossy formats
    const struct picture_text *texts;
    size_t n_texts;
};

/* Append the whole picture to the file; false with an error. JPEG: no alpha; WebP: no grey with
 * alpha. */
bool picture_png_write(const struct picture_sheet *sheet, GError **error);
bool picture_tiff_write(const struct picture_sheet *sheet, GError **error);
bool picture_jpeg_write(const struct picture_sheet *sheet, GError **error);
bool picture_webp_write(const struct picture_sheet *sheet, GError **error);

/* picture_create after a look at the size: at least source->minimum, at most its maximum. */
picture *picture_create_checked(const struct picture_source *source, int64_t width, int64_t height,
                                int channels, GError **error);

/* "PATH: this is a damaged or cut-off FORMAT file (DETAIL); ..."; always false. */
bool picture_set_damaged(const struct picture_source *source, const char *format,
                         const char *detail, GError **error);

/* "PATH: there is no memory for its pixels; ..."; always false. */
bool picture_set_large(const struct picture_source *source, GError **error);

/* "PATH: the FORMAT cannot be made: MESSAGE."; an empty message is the want of memory. Always false.
 */
bool picture_set_unmade(const struct picture_sheet *sheet, const char *format, const char *message,
                        GError **error);

/* Pixels of 8 bits [width * channels of p] to row y of p, and from it, rounded to nearest. */
void picture_set_row_8(picture *p, int y, const uint8_t *row);
void picture_row_8(const picture *p, int y, uint8_t *row);

/* The orientation (1 to 8) in a block of EXIF data that begins with its byte order mark; 1 if there
 * is none or it cannot be read. */
int picture_exif_orientation(const uint8_t *data, size_t size);

/* Turns and mirrors a picture to how an EXIF orientation says it is to be seen (1: as it is). Takes
 * p; returns the turned picture, or NULL with an error and p freed. NULL is passed on. */
picture *picture_orient(picture *p, int orientation, GError **error);

/* Divides the colours of a picture of 4 channels by its alpha: for files that store them
 * multiplied.
 */
void picture_unmultiply(picture *p);
