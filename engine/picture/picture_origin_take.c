/* From a file's own values to sRGB, and back; see picture_origin.h. */
#include "engine/picture/picture_origin.h"

// leaves a profile out that is of no use
static void check_profile(picture *p, const char *path)
{
    struct picture_origin *o = picture_origin_of(p);
    const char *problem;

    // before anything is converted: a bad profile is worth a word, not the picture
    if (o->icc && !picture_profile_check(o->icc, o->space, &problem)) {
        picture_origin_warn(p, path, problem);
        g_clear_pointer(&o->icc, g_bytes_unref);
    }
}

/* Ink does not come back as ink, and where a profile knows no way back the result is sRGB. */
static bool keep_own(picture *p, const char *path, GError **error)
{
    struct picture_origin *o = p->origin;

    if (o->space == PICTURE_CMYK || (o->space == PICTURE_RGB && !o->icc)) {
        return true;
    }
    if (o->icc && !picture_profile_goes_back(o->icc, o->space)) {
        g_free(o->warning);
        o->warning =
            g_strdup_printf("%s: nothing can be converted back to its colour profile; what "
                            "is painted into it is sRGB.",
                            path);
        return true;
    }
    // the file's own samples: what is not painted comes back from them, bit by bit
    o->own = picture_copy(p, error);
    return o->own != NULL;
}

// once converted, what is not kept has no space of its own any more
static void forget_space(struct picture_origin *o)
{
    if (!o->own && o->icc) {
        g_clear_pointer(&o->icc, g_bytes_unref);
        o->chunks = (struct picture_chunks){0};
    }
}

picture *picture_origin_take(picture *p, const char *path, GError **error)
{
    g_autoptr(picture) taken = p;

    if (!p) {
        return NULL;
    }
    struct picture_origin *o = picture_origin_of(p);
    // in this order: the samples are kept before they are converted in place
    check_profile(p, path);
    if (!keep_own(p, path, error) || !picture_profile_to_srgb(o->icc, o->space, p, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    forget_space(o);
    return g_steal_pointer(&taken);
}
