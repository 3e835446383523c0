/* Pictures for those who use the engine as a library; see svdiff.h. */
#include "engine/picture/picture.h"

#include "engine/base/error.h"

svdiff_picture *svdiff_picture_create(int width, int height, int channels, GError **error)
{
    if (width < 1 || width > PICTURE_SIDE_MAX || height < 1 || height > PICTURE_SIDE_MAX ||
        (channels != 1 && channels != 3 && channels != 4)) {
        error_usage(error,
                    "a picture of %d x %d pixels with %d channels is none; it has 1 to %d pixels a "
                    "side, and 1, 3 or 4 channels.",
                    width, height, channels, PICTURE_SIDE_MAX);
        return NULL;
    }
    return picture_create(width, height, channels, error);
}

void svdiff_picture_free(svdiff_picture *p)
{
    picture_free(p);
}

svdiff_picture *svdiff_picture_read(const char *path, bool mask, GError **error)
{
    return mask ? picture_read_mask(path, 1, error) : picture_read(path, 1, error);
}

bool svdiff_picture_write(const char *path, const svdiff_picture *p, GError **error)
{
    return picture_write(path, p, NULL, 0, error);
}
