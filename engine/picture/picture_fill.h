/* picture_fill.h: colours for places that have none, from those around them. */
#pragma once

#include "engine/picture/picture.h"

/* Fills a picture of 3 channels where `known` (1 channel, 0..1, of the same size) is 0, smoothly,
 * from the colours around; in between the two are mixed. smooth: details of less than 2^smooth
 * pixels are left out also where colours are known. Where nothing is known anywhere, all becomes
 * `nothing`. False with an error when there is no memory. */
bool picture_fill(picture *p, const picture *known, int smooth, float nothing, GError **error);

/* A copy of 3 channels; with alpha, what is clear gets the colours around it. Owned by the
 * caller. */
picture *picture_opaque(const picture *p, GError **error);

/* The alpha of a picture of 4 channels as a mask. Owned by the caller. */
picture *picture_alpha(const picture *p, GError **error);

/* A copy of a picture of 3 channels with this alpha, of the same size. Owned by the caller. */
picture *picture_with_alpha(const picture *p, const picture *alpha, GError **error);
