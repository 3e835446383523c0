/* im2col_cpu.h: rows of a convolution's input gathered for a matrix product, and sent back.
 *
 * Output pixels are numbered n, oy, ox; a chunk is a run of whole output rows (n, oy). Its matrix
 * has a row an output pixel and kh * kw * c columns in the order of the weight, so that
 *   y chunk = columns W^T        columns of dx = dy chunk W        dw += dy chunk^T columns */
#pragma once

#include "kernels/kernels.h"

// output rows first .. first + count, numbered n * out_h + oy
struct im2col_chunk {
    int64_t first, count;
};

// columns of the matrix
int64_t im2col_columns(struct conv_shape s);
// output rows whose matrix takes at most that many bytes, at least 1
int64_t im2col_rows(struct conv_shape s, size_t bytes);

void im2col_gather(const kernels *k, struct conv_shape s, struct im2col_chunk chunk, const cell *x,
                   cell *columns);
/* dx += columns sent back. Each pixel of dx collects its own sum, in the order of the kernel's
 * positions. */
void im2col_scatter(const kernels *k, struct conv_shape s, struct im2col_chunk chunk,
                    const float *columns, cell *dx);
