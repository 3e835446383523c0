/* onednn_version.h: the differences between oneDNN 2.x and 3.x in a few small functions, for
 * onednn.c and onednn_primitive.c alone.
 *
 * A layout says the sizes, type and order of an array: in 2.x a struct by value, in 3.x a handle to
 * be destroyed. Primitives are described by an operation descriptor in 2.x, directly in 3.x. */
#pragma once

#include <dnnl.h>
#include <stdbool.h>
#include <stddef.h>

#define ONEDNN_3 (DNNL_VERSION_MAJOR >= 3)

struct layout {
    dnnl_memory_desc_t d;
};

// dense array of that many dimensions in the order of the tag; false: not possible
static inline bool layout_init(struct layout *l, int dimensions, const dnnl_dims_t sizes,
                               dnnl_data_type_t type, dnnl_format_tag_t tag)
{
#if ONEDNN_3
    return dnnl_memory_desc_create_with_tag(&l->d, dimensions, sizes, type, tag) == dnnl_success;
#else
    return dnnl_memory_desc_init_by_tag(&l->d, dimensions, sizes, type, tag) == dnnl_success;
#endif
}

static inline void layout_finish(struct layout *l)
{
#if ONEDNN_3
    if (l->d) {
        dnnl_memory_desc_destroy(l->d);
        l->d = NULL;
    }
#endif
}

// the layout that a primitive wants for one of its arrays
static inline bool layout_wanted(struct layout *l, dnnl_primitive_desc_t primitive,
                                 dnnl_query_t which)
{
#if ONEDNN_3
    const_dnnl_memory_desc_t wanted = dnnl_primitive_desc_query_md(primitive, which, 0);

    return wanted && dnnl_memory_desc_clone(&l->d, wanted) == dnnl_success;
#else
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(primitive, which, 0);

    if (wanted) {
        l->d = *wanted;
    }
    return wanted != NULL;
#endif
}

#if ONEDNN_3
#define LAYOUT(l) ((l)->d)
#else
#define LAYOUT(l) (&(l)->d)
#endif

static inline size_t layout_bytes(const struct layout *l)
{
    return dnnl_memory_desc_get_size(LAYOUT(l));
}

// y += instead of y =; y as what it is: read as another type it has no fast code
static inline bool attribute_accumulate(dnnl_primitive_attr_t attribute)
{
    dnnl_post_ops_t after;

    if (dnnl_post_ops_create(&after) != dnnl_success) {
        return false;
    }
#if ONEDNN_3
    bool done = dnnl_post_ops_append_sum(after, 1, 0, dnnl_data_type_undef) == dnnl_success;
#else
    bool done = dnnl_post_ops_append_sum(after, 1) == dnnl_success;
#endif
    done = done && dnnl_primitive_attr_set_post_ops(attribute, after) == dnnl_success;
    dnnl_post_ops_destroy(after);
    return done;
}

// bias may be NULL; padding: top, left and bottom, right
static inline bool describe_conv(dnnl_primitive_desc_t *primitive, dnnl_engine_t engine,
                                 const struct layout *x, const struct layout *w,
                                 const struct layout *bias, const struct layout *y,
                                 const dnnl_dims_t strides, const dnnl_dims_t before,
                                 const dnnl_dims_t after, dnnl_primitive_attr_t attribute)
{
    const dnnl_dims_t dilation = {0, 0};
#if ONEDNN_3
    return dnnl_convolution_forward_primitive_desc_create(
               primitive, engine, dnnl_forward_inference, dnnl_convolution_direct, x->d, w->d,
               bias ? bias->d : NULL, y->d, strides, dilation, before, after,
               attribute) == dnnl_success;
#else
    dnnl_convolution_desc_t operation;

    return dnnl_dilated_convolution_forward_desc_init(
               &operation, dnnl_forward_inference, dnnl_convolution_direct, &x->d, &w->d,
               bias ? &bias->d : NULL, &y->d, strides, dilation, before, after) == dnnl_success &&
           dnnl_primitive_desc_create(primitive, &operation, attribute, engine, NULL) ==
               dnnl_success;
#endif
}

static inline bool describe_matmul(dnnl_primitive_desc_t *primitive, dnnl_engine_t engine,
                                   const struct layout *a, const struct layout *b,
                                   const struct layout *bias, const struct layout *c,
                                   dnnl_primitive_attr_t attribute)
{
#if ONEDNN_3
    return dnnl_matmul_primitive_desc_create(primitive, engine, a->d, b->d, bias ? bias->d : NULL,
                                             c->d, attribute) == dnnl_success;
#else
    dnnl_matmul_desc_t operation;

    return dnnl_matmul_desc_init(&operation, &a->d, &b->d, bias ? &bias->d : NULL, &c->d) ==
               dnnl_success &&
           dnnl_primitive_desc_create(primitive, &operation, attribute, engine, NULL) ==
               dnnl_success;
#endif
}
