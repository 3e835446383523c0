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
