/* What a picture's file was; see picture_origin.h. */
#include "engine/picture/picture_origin.h"

static void clear(gpointer data)
{
    struct picture_origin *o = data;

    g_clear_pointer(&o->icc, g_bytes_unref);
    g_clear_pointer(&o->own, picture_free);
    g_clear_pointer(&o->warning, g_free);
}

struct picture_origin *picture_origin_ref(struct picture_origin *o)
{
    // shared by the pictures that are made of one file
    return o ? g_atomic_rc_box_acquire(o) : NULL;
}

void picture_origin_unref(struct picture_origin *o)
{
    if (o) {
        g_atomic_rc_box_release_full(o, clear);
    }
}

static struct picture_origin *create(void)
{
    struct picture_origin *o = g_atomic_rc_box_new0(struct picture_origin);

    o->bits = 8;
    o->space = PICTURE_RGB;
    return o;
}

struct picture_origin *picture_origin_of(picture *p)
{
    if (!p->origin) {
        p->origin = create();
    }
    return p->origin;
}

void picture_origin_set_profile(picture *p, const void *data, size_t size)
{
    struct picture_origin *o = picture_origin_of(p);

    g_clear_pointer(&o->icc, g_bytes_unref);
    o->icc = size > 0 ? g_bytes_new(data, size) : NULL;
}

void picture_origin_warn(picture *p, const char *path, const char *problem)
{
    struct picture_origin *o = picture_origin_of(p);

    g_free(o->warning);
    o->warning =
        g_strdup_printf("%s: its colour profile %s and is left out; its colours are taken as %s.",
                        path, problem, o->space == PICTURE_CMYK ? "plain CMYK" : "sRGB");
}

struct picture_origin *picture_origin_with(const struct picture_origin *o, picture *own)
{
    // all but the warning, which was given once
    struct picture_origin *with = create();

    with->bits = o->bits;
    with->space = o->space;
    with->icc = o->icc ? g_bytes_ref(o->icc) : NULL;
    with->chunks = o->chunks;
    with->own = own;
    return with;
}

struct picture_origin *picture_origin_depth(const struct picture_origin *o)
{
    struct picture_origin *depth = o ? create() : NULL;

    if (depth) {
        depth->bits = o->bits;
    }
    return depth;
}

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

bool picture_origin_convert(const struct picture_origin *o, picture *p, GError **error)
{
    return picture_profile_from_srgb(o->icc, o->space, p, error);
}

const char *picture_warning(const picture *p)
{
    return p->origin ? p->origin->warning : NULL;
}

bool picture_was_cmyk(const picture *p)
{
    return p->origin && p->origin->space == PICTURE_CMYK;
}

bool picture_was_grey(const picture *p)
{
    return p->origin && p->origin->space == PICTURE_GREY;
}
