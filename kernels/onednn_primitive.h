/* onednn_primitive.h: what onednn.c and onednn_primitive.c share. */
#pragma once

#include "kernels/onednn.h"
#include "kernels/onednn_version.h"

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    GHashTable *primitives; // by shape, see onednn_primitive.c
};

// a hash table for the primitives of that engine; the engine must live longer
GHashTable *primitives_new(void);
