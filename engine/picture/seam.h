/* seam.h: how strongly a picture changes in its middle, where two halves may have been stitched. */
#pragma once

#include "engine/picture/picture.h"

/* The mean change from one column to the next within two pixels of the vertical middle, and in its
 * surroundings, an eighth of the width to either side; added to both. Their ratio is 1 where there
 * is no seam. */
void seam_add(const picture *p, double *seam, double *surroundings);
