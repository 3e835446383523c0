/* picture_tiff.h: how libtiff tells its errors, shared by the reader and the writer. */
#pragma once

#include "engine/picture/picture_codec.h"

#include <tiffio.h>

struct picture_tiff_job {
    char message[1024]; // the first error that libtiff told; 1024 is its own size of such a text
};

/* Options for opening a TIFF: libtiff's errors go to job->message instead of the standard error,
 * its warnings nowhere. NULL without memory. TIFFOpenOptionsFree it. */
TIFFOpenOptions *picture_tiff_options(struct picture_tiff_job *job);
