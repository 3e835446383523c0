/* onednn_primitive.c: oneDNN's primitives for products of bfloat16 and for convolutions, made when
 * a shape is first seen and kept.
 *
 * A convolution's primitive names the layout that it wants its weights in, which depends on the
 * whole shape; a reorder brings the plain weights there at each call. Measured, this costs less
 * than gathering the rows of x as soon as there are more output pixels than output channels. */
#include "kernels/onednn_primitive.h"

#include <string.h>

#define PRIMITIVES 512 // kept at most

enum kind { KIND_MATMUL, KIND_CONV };
enum role { ROLE_A, ROLE_B, ROLE_BIAS, ROLE_C, ROLE_SCRATCH, ROLES };

static const int role_names[ROLES] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST,
                                      DNNL_ARG_SCRATCHPAD};

// everything that decides what code is made; unused values are 0
struct key {
    int64_t kind, type, to, bias, accumulate, transpose_b;
    int64_t m, n, k;
    struct conv_shape conv;
};

/* primitive: NULL where the library has no fast code for the key.
 * reorder: brings plain weights into the wanted layout; NULL where they are wanted plain. */
struct primitive {
    dnnl_primitive_t primitive, reorder;
    dnnl_memory_t memory[ROLES], plain;
    size_t weight_bytes, scratch_bytes;
};

static guint key_hash(gconstpointer p)
{
    const unsigned char *bytes = p;
    guint hash = 2166136261u; // FNV-1a

    for (size_t i = 0; i < sizeof(struct key); i++) {
        hash = (hash ^ bytes[i]) * 16777619u;
    }
    return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct key)) == 0;
}

static void primitive_free(gpointer p)
{
    struct primitive *primitive = p;

    for (int role = 0; role < ROLES; role++) {
        if (primitive->memory[role]) {
            dnnl_memory_destroy(primitive->memory[role]);
        }
    }
    if (primitive->plain) {
        dnnl_memory_destroy(primitive->plain);
    }
    if (primitive->reorder) {
        dnnl_primitive_destroy(primitive->reorder);
    }
    if (primitive->primitive) {
        dnnl_primitive_destroy(primitive->primitive);
    }
    g_free(primitive);
}

GHashTable *primitives_new(void)
{
    return g_hash_table_new_full(key_hash, key_equal, g_free, primitive_free);
}

/* ---- making ---- */

static dnnl_data_type_t type_of(int64_t type)
{
    return type == KERNELS_BF16 ? dnnl_bf16 : dnnl_f32;
}

static bool memory_init(dnnl_memory_t *memory, const struct layout *l, dnnl_engine_t engine)
{
    return dnnl_memory_create(memory, LAYOUT(l), engine, DNNL_MEMORY_NONE) == dnnl_success;
}

// one of the arrays of a described primitive, in the layout that it wants
static bool take_memory(struct primitive *p, enum role role, dnnl_primitive_desc_t description,
                        dnnl_query_t which, dnnl_engine_t engine, size_t *bytes)
{
    struct layout l = {0};
    const bool done =
        layout_wanted(&l, description, which) && memory_init(&p->memory[role], &l, engine);

    if (done && bytes) {
        *bytes = layout_bytes(&l);
    }
    layout_finish(&l);
    return done;
}

// code that names itself ref or simple is many times slower than our own other ways
static bool is_fast(dnnl_primitive_desc_t description)
{
    const char *name = "";

    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    return !g_str_has_prefix(name, "ref") && !g_str_has_prefix(name, "simple");
}

// the reorder from the plain layout, where the wanted one differs
static bool make_reorder(struct primitive *p, dnnl_primitive_desc_t description,
                         const struct layout *plain, dnnl_engine_t engine)
{
    struct layout wanted = {0};
    dnnl_primitive_desc_t reorder = NULL;
    bool done = layout_wanted(&wanted, description, dnnl_query_weights_md);

    if (done && !dnnl_memory_desc_equal(LAYOUT(&wanted), LAYOUT(plain))) {
        done = memory_init(&p->plain, plain, engine) &&
               dnnl_reorder_primitive_desc_create(&reorder, LAYOUT(plain), engine, LAYOUT(&wanted),
                                                  engine, NULL) == dnnl_success &&
               dnnl_primitive_create(&p->reorder, reorder) == dnnl_success;
    }
    if (reorder) {
        dnnl_primitive_desc_destroy(reorder);
    }
    layout_finish(&wanted);
    return done;
}

// the primitive and its arrays from its description; plain: the layout that weights come in
static bool finish_primitive(struct primitive *p, const struct key *key,
                             dnnl_primitive_desc_t description, const struct layout *plain,
                             dnnl_engine_t engine)
{
    return is_fast(description) &&
           take_memory(p, ROLE_A, description, dnnl_query_src_md, engine, NULL) &&
           take_memory(p, ROLE_B, description, dnnl_query_weights_md, engine, &p->weight_bytes) &&
           take_memory(p, ROLE_C, description, dnnl_query_dst_md, engine, NULL) &&
           take_memory(p, ROLE_SCRATCH, description, dnnl_query_scratchpad_md, engine,
                       &p->scratch_bytes) &&
           make_reorder(p, description, plain, engine) &&
           dnnl_primitive_create(&p->primitive, description) == dnnl_success;
}

struct layouts {
    struct layout a, b, wanted_b, bias, c;
};

static void finish_layouts(struct layouts *l)
{
    layout_finish(&l->a);
    layout_finish(&l->b);
    layout_finish(&l->wanted_b);
    layout_finish(&l->bias);
    layout_finish(&l->c);
}

static bool describe_matmul_key(const struct key *key, struct layouts *l,
                                dnnl_primitive_attr_t attribute, dnnl_engine_t engine,
                                dnnl_primitive_desc_t *description)
{
    const dnnl_data_type_t type = type_of(key->type);

    return layout_init(&l->a, 2, (dnnl_dims_t){key->m, key->k}, type, dnnl_ab) &&
           layout_init(&l->b, 2, (dnnl_dims_t){key->k, key->n}, type,
                       key->transpose_b ? dnnl_ba : dnnl_ab) &&
           layout_init(&l->bias, 2, (dnnl_dims_t){1, key->n}, dnnl_f32, dnnl_ab) &&
           layout_init(&l->c, 2, (dnnl_dims_t){key->m, key->n}, type_of(key->to), dnnl_ab) &&
           describe_matmul(description, engine, &l->a, &l->b, key->bias ? &l->bias : NULL, &l->c,
                           attribute);
}

static bool describe_conv_key(const struct key *key, struct layouts *l,
                              dnnl_primitive_attr_t attribute, dnnl_engine_t engine,
                              dnnl_primitive_desc_t *description)
{
    const struct conv_shape s = key->conv;
    const dnnl_data_type_t type = type_of(key->type);
    const dnnl_dims_t weight = {s.out, s.c, s.kh, s.kw}, stride = {s.stride, s.stride};
    const dnnl_dims_t before = {s.pad_top, s.pad_left};
    const dnnl_dims_t after = {(s.out_h - 1) * s.stride + s.kh - s.h - s.pad_top,
                               (s.out_w - 1) * s.stride + s.kw - s.w - s.pad_left};

    return layout_init(&l->a, 4, (dnnl_dims_t){s.n, s.c, s.h, s.w}, type, dnnl_nhwc) &&
           layout_init(&l->b, 4, weight, type, dnnl_ohwi) &&
           layout_init(&l->wanted_b, 4, weight, type, dnnl_format_tag_any) &&
           layout_init(&l->bias, 1, (dnnl_dims_t){s.out}, dnnl_f32, dnnl_a) &&
           layout_init(&l->c, 4, (dnnl_dims_t){s.n, s.out, s.out_h, s.out_w}, type_of(key->to),
                       dnnl_nhwc) &&
           describe_conv(description, engine, &l->a, &l->wanted_b, key->bias ? &l->bias : NULL,
                         &l->c, stride, before, after, attribute);
}

static void fill_primitive(struct primitive *p, const struct key *key, dnnl_engine_t engine)
{
    struct layouts l = {0};
    dnnl_primitive_attr_t attribute = NULL;
    dnnl_primitive_desc_t description = NULL;
    bool done = dnnl_primitive_attr_create(&attribute) == dnnl_success;

    dnnl_primitive_attr_set_scratchpad_mode(attribute, dnnl_scratchpad_mode_user);
    done = done && (!key->accumulate || attribute_accumulate(attribute));
    done = done &&
           (key->kind == KIND_CONV ? describe_conv_key(key, &l, attribute, engine, &description)
                                   : describe_matmul_key(key, &l, attribute, engine, &description));
    done = done && finish_primitive(p, key, description, &l.b, engine) &&
           (!key->bias || memory_init(&p->memory[ROLE_BIAS], &l.bias, engine));
    if (!done && p->primitive) {
        dnnl_primitive_destroy(p->primitive);
        p->primitive = NULL;
    }
    if (description) {
        dnnl_primitive_desc_destroy(description);
    }
    dnnl_primitive_attr_destroy(attribute);
    finish_layouts(&l);
}

static const struct primitive *find_primitive(struct onednn *o, const struct key *key)
{
    struct primitive *p = g_hash_table_lookup(o->primitives, key);

    if (!p) {
        if (g_hash_table_size(o->primitives) >= PRIMITIVES) {
            g_hash_table_remove_all(o->primitives);
        }
        p = g_new0(struct primitive, 1);
        fill_primitive(p, key, o->engine);
        g_hash_table_insert(o->primitives, g_memdup2(key, sizeof *key), p);
    }
    return p;
}

/* ---- running ---- */

static size_t rounded_up(size_t bytes)
{
    return (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;
}

static void reorder_weights(struct onednn *o, const struct primitive *p, const void *plain,
                            void *wanted)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, p->plain},
                                         {DNNL_ARG_TO, p->memory[ROLE_B]}};

    dnnl_memory_set_data_handle(p->plain, (void *)plain);
    dnnl_memory_set_data_handle(p->memory[ROLE_B], wanted);
    dnnl_primitive_execute(p->reorder, o->stream, 2, arguments);
}

// false where the room is too small
static bool run(struct onednn *o, const struct primitive *p, void *data[ROLES],
                struct onednn_room room)
{
    const size_t weights = p->reorder ? rounded_up(p->weight_bytes) : 0;
    dnnl_exec_arg_t arguments[ROLES];
    int count = 0;

    if (!p->primitive || weights + p->scratch_bytes > room.bytes) {
        return false;
    }
    if (p->reorder) {
        reorder_weights(o, p, data[ROLE_B], room.memory);
        data[ROLE_B] = room.memory;
    }
    data[ROLE_SCRATCH] = (char *)room.memory + weights;
    for (int role = 0; role < ROLES; role++) {
        if (p->memory[role]) {
            dnnl_memory_set_data_handle(p->memory[role], data[role]);
            arguments[count++] = (dnnl_exec_arg_t){role_names[role], p->memory[role]};
        }
    }
    return dnnl_primitive_execute(p->primitive, o->stream, count, arguments) == dnnl_success &&
           dnnl_stream_wait(o->stream) == dnnl_success;
}

bool onednn_matmul(struct onednn *o, const struct onednn_matmul *call, struct onednn_room room)
{
    void *data[ROLES] = {(void *)call->a, (void *)call->b, (void *)call->bias, call->c, NULL};
    struct key key;

    memset(&key, 0, sizeof key); // bytes between the members are compared too
    key.kind = KIND_MATMUL;
    key.type = KERNELS_BF16;
    key.to = call->to;
    key.bias = call->bias != NULL;
    key.accumulate = call->accumulate;
    key.transpose_b = call->transpose_b;
    key.m = call->m;
    key.n = call->n;
    key.k = call->k;
    return run(o, find_primitive(o, &key), data, room);
}

// whether every output pixel sees a pixel of x: 3.6 crashes where padding is as wide as the kernel
static bool sees_pixels(struct conv_shape s)
{
    const int below = (s.out_h - 1) * s.stride - s.pad_top,
              right = (s.out_w - 1) * s.stride - s.pad_left;

    return s.pad_top < s.kh && s.pad_left < s.kw && below < s.h && right < s.w;
}

bool onednn_conv(struct onednn *o, const struct onednn_conv *call, struct onednn_room room)
{
    void *data[ROLES] = {(void *)call->x, (void *)call->w, (void *)call->bias, call->y, NULL};
    struct key key;

    if (!sees_pixels(call->shape)) {
        return false;
    }
    memset(&key, 0, sizeof key);
    key.kind = KIND_CONV;
    key.type = key.to = call->type;
    key.bias = call->bias != NULL;
    key.accumulate = call->accumulate;
    key.conv = call->shape;
    return run(o, find_primitive(o, &key), data, room);
}
