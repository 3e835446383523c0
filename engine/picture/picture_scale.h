/* picture_scale.h: how pictures and masks become what the networks take, and back.
 *
 *   struct picture_frame frame = picture_frame_centre(p->width, p->height, 512);
 *   g_autoptr(picture) square = picture_cut(p, &frame, &error);
 *   picture_to_signal(square, input);
 *
 * Pictures are resampled as Pillow's BILINEAR and torchvision's antialias=True do it: a triangle of
 * one source pixel a side when enlarging, as wide as the scale when reducing; float, values as
 * stored (no linear light). Functions that return a picture give a new one, to be freed by the
 * caller, or NULL with SVDIFF_ERROR_FAILED when there is no memory for it. */
#pragma once

#include "engine/picture/picture.h"

/* What of a picture is seen: it is scaled to width x height as a whole, then the rectangle of
 * crop_width x crop_height at x, y is cut from that. The same frame fits a picture and its masks.
 */
struct picture_frame {
    int width, height;
    int x, y, crop_width, crop_height;
};

/* The short side scaled to `size` (the long one in proportion, rounded down) and the square of that
 * size from the middle, as torchvision's Resize(size) and CenterCrop(size). */
struct picture_frame picture_frame_centre(int width, int height, int size);

/* The same of any shape: scaled to cover crop_width x crop_height, and that cut from the middle. */
struct picture_frame picture_frame_fill(int width, int height, int crop_width, int crop_height);

/* Moves the cut so that its middle comes as near to the point (cx, cy) of the picture as its edges
 * allow; the point in pixels of a picture of width x height before scaling, 0.5 the first's middle.
 */
void picture_frame_move(struct picture_frame *frame, int width, int height, double cx, double cy);

/* The centre of mass of a mask in its pixels; false if all of it is 0. */
bool picture_mask_centre(const picture *mask, double *cx, double *cy);

/* The cut of crop_width x crop_height from the middle, or as near as its edges allow to the centre of what
 * a mask marks; marked may be NULL. */
struct picture_frame picture_frame_around(const picture *p, const picture *marked, int crop_width,
                                          int crop_height);

/* Scales and cuts; only what is seen is computed. With alpha the colours are weighted by it. */
picture *picture_cut(const picture *p, const struct picture_frame *frame, GError **error);

/* The same by Pillow's BICUBIC with pictures of 8 bits, rounded as it does, for networks that were
 * trained on such. Without alpha. */
picture *picture_cut_cubic(const picture *p, const struct picture_frame *frame, GError **error);

/* Scales the whole picture. */
picture *picture_resize(const picture *p, int width, int height, GError **error);

/* The same of a picture behind whose edges its other side begins, as in seamless tiles. */
picture *picture_resize_around(const picture *p, int width, int height, GError **error);

/* The mean of the area that each new pixel covers, parts of pixels counted in part: a mask on the
 * latent grid. */
picture *picture_area_mean(const picture *p, int width, int height, GError **error);

/* Mirrors left to right, in place. */
void picture_flip(picture *p);

/* The autoencoder's side of it: out [height, width, 3] = 2 p - 1, of a picture of 3 channels. */
void picture_to_signal(const picture *p, float *out);

/* The same of any picture, scaled to width x height (around: as picture_resize_around), its alpha put on
 * white: [height, width, 3], owned by the caller. NULL without memory. */
float *picture_signal(const picture *p, int width, int height, bool around, GError **error);

/* A picture of 3 channels, (in + 1) / 2 clamped to 0..1; in [height, width, 3]. */
picture *picture_from_signal(const float *in, int width, int height, GError **error);
