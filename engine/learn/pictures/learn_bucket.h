/* learn_bucket.h: shapes in which learning pictures keep what a square would cut off.
 *
 * With a square of n x n latents there are shapes of h x w latents, multiples of n / 8, from n / 2 to 2 n a side,
 * with as large a w for each h as h w <= n n allows: what fits a square fits them. A picture has the one
 * whose w / h is nearest to its own, as a ratio. */
#pragma once

struct learn_bucket {
    int h, w; // latents
};

/* Of a picture of width x height pixels. */
struct learn_bucket learn_bucket_of(int n, int width, int height);
