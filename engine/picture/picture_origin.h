/* picture_origin.h: what a picture's file was: its depth, its kind of colours, its profile, and its
 * own samples.
 *
 * A picture in memory is sRGB; what is painted into a picture goes back into the picture's own
 * space, and what was not painted must keep its samples, which no conversion there and back can
 * promise. So they stay beside it. Counted references: results share the origin of the picture that
 * they began with. */
#pragma once

#include "engine/picture/picture_profile.h"

#include <stdint.h>

// how a PNG file says its colours without a profile, in the order in which they are written
enum picture_chunk {
    PICTURE_CHUNK_SRGB,      // sRGB: the rendering intent
    PICTURE_CHUNK_GAMMA,     // gAMA: of 100000
    PICTURE_CHUNK_PRIMARIES, // cHRM: x, y of white, red, green, blue, of 100000
    PICTURE_CHUNK_CODES,     // cICP: primaries, transfer, matrix, full range
    PICTURE_CHUNKS,
};

struct picture_chunks {
    bool has[PICTURE_CHUNKS];
    uint8_t bytes[PICTURE_CHUNKS][32]; // each as it was
};

struct picture_origin {
    int bits; // a sample: 8, 16, 32
    enum picture_space space;
    GBytes *icc; // NULL: sRGB, or grey and CMYK without a profile
    struct picture_chunks chunks;
    picture *own;  // what picture_origin_take keeps: in its own space, the picture's size; or NULL:
                   // the picture's own values are they
    char *warning; // what is wrong with its profile, a sentence; or NULL
};

/* The origin of a picture that was just read, made for it on the first call. Borrowed. */
struct picture_origin *picture_origin_of(picture *p);

/* The profile in a file, from memory that is borrowed; none for 0 bytes. */
void picture_origin_set_profile(picture *p, const void *data, size_t size);

/* "PATH: its colour profile PROBLEM; ...": what is to be said of it. */
void picture_origin_warn(picture *p, const char *path, const char *problem);

/* Takes a picture with its file's own values (CMYK: 4 channels of ink) and returns it in sRGB, its
 * own values kept in the origin. What cannot be used of its profile is left out, with a warning.
 * NULL with an error and p freed; NULL is passed on. */
picture *picture_origin_take(picture *p, const char *path, GError **error);

struct picture_origin *picture_origin_ref(struct picture_origin *o); // accepts NULL
void picture_origin_unref(struct picture_origin *o);                 // accepts NULL

/* A new one with other samples (taken), of a picture of another size or with more in it. */
struct picture_origin *picture_origin_with(const struct picture_origin *o, picture *own);

/* A new one of the depth alone, for what is sRGB and began with such a picture; NULL for NULL. */
struct picture_origin *picture_origin_depth(const struct picture_origin *o);
