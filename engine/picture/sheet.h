/* sheet.h: pictures of one size as one: columns under their labels, rows below each other, on white.
 *
 *      scale -1   scale 0   scale 1
 *     [       ]  [       ] [       ]     row 0
 *     [       ]  [       ] [       ]     row 1 */
#pragma once

#include "engine/picture/picture.h"

/* The size of a sheet of pictures of width x height. False with SVDIFF_ERROR_USAGE where a side would be
 * longer than a picture's may be. */
bool sheet_size(int width, int height, int columns, int rows, int *whole_width, int *whole_height,
                GError **error);

/* pictures [rows, columns], all of one size and with as many channels; what of a label does not fit over
 * its column is cut off. Owned by the caller; NULL with an error. */
picture *sheet_create(const picture *const *pictures, int columns, int rows,
                      const char *const *labels, GError **error);
