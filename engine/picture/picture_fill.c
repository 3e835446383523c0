/* Filling by a pyramid (push-pull: Gortler and others, The Lumigraph, 1996); see picture_fill.h.
 *
 *   push  halve the picture until one pixel is left: value = sum(w v) / sum(w), w = min(1, sum(w))
 *   pull  each level, from the smallest up: value = w v + (1 - w) (the level below, bilinear) */
#include "engine/picture/picture_fill.h"

static bool halve(const picture *p, const picture *known, picture *half, picture *half_known)
{
    bool any = false;

    for (int y = 0; y < half->height; y++) {
        for (int x = 0; x < half->width; x++) {
            float sum[3] = {0}, weight = 0;
            for (int k = 0; k < 4; k++) {
                const int fx = 2 * x + k % 2, fy = 2 * y + k / 2;
                // the last row and column of an odd size have no partner
                if (fx >= p->width || fy >= p->height) {
                    continue;
                }
                const size_t at = (size_t)fy * p->width + fx;
                const float w = known->pixels[at];
                weight += w;
                for (int c = 0; c < 3; c++) {
                    sum[c] += w * p->pixels[3 * at + c];
                }
            }
            const size_t to = (size_t)y * half->width + x;
            // one known pixel of four is enough to be sure of their mean
            half_known->pixels[to] = MIN(weight, 1.0f);
            for (int c = 0; c < 3; c++) {
                half->pixels[3 * to + c] = weight > 0 ? sum[c] / weight : 0;
            }
            any = any || weight > 0;
        }
    }
    return any;
}

// the two pixels of the half line around place i, and the share of the second
static void between(int i, int n, int *low, int *high, float *share)
{
    // middles of pixels, not corners: the picture does not drift by half a pixel a level
    const float at = (i + 0.5f) / 2 - 0.5f;

    *low = at < 0 ? 0 : (int)at;
    *high = MIN(*low + 1, n - 1);
    *share = at < 0 ? 0 : at - (float)*low;
}

// p becomes w p + (1 - w) half, w = known or, where details are left out, 0
static void pull(picture *p, const picture *known, bool leave_out, const picture *half)
{
    for (int y = 0; y < p->height; y++) {
        int y0, y1, x0, x1;
        float fy, fx;
        between(y, half->height, &y0, &y1, &fy);
        for (int x = 0; x < p->width; x++) {
            const size_t at = (size_t)y * p->width + x;
            const float w = leave_out ? 0 : known->pixels[at];
            between(x, half->width, &x0, &x1, &fx);
            for (int c = 0; c < 3; c++) {
                const float *top = half->pixels + 3 * (size_t)y0 * half->width + c;
                const float *low = half->pixels + 3 * (size_t)y1 * half->width + c;
                const float upper = top[3 * x0] + fx * (top[3 * x1] - top[3 * x0]);
                const float lower = low[3 * x0] + fx * (low[3 * x1] - low[3 * x0]);
                const float below = upper + fy * (lower - upper);
                float *value = p->pixels + 3 * at + c;
                // what is not known at all may hold anything, NaN too, and must not be multiplied
                *value = w > 0 ? w * *value + (1 - w) * below : below;
            }
        }
    }
}

bool picture_fill(picture *p, const picture *known, int smooth, float nothing, GError **error)
{
    const size_t n = (size_t)p->width * p->height;

    // the top of the pyramid: everything, or nothing
    if (p->width == 1 && p->height == 1) {
        for (int c = 0; c < 3; c++) {
            p->pixels[c] = known->pixels[0] > 0 ? p->pixels[c] : nothing;
        }
        return true;
    }
    const int width = (p->width + 1) / 2, height = (p->height + 1) / 2;
    g_autoptr(picture) half = picture_create(width, height, 3, error);
    g_autoptr(picture) half_known = half != NULL ? picture_create(width, height, 1, error) : NULL;
    if (half_known == NULL) {
        return false;
    }
    // nothing is known anywhere: going on would only halve zeros
    if (!halve(p, known, half, half_known)) {
        for (size_t i = 0; i < 3 * n; i++) {
            p->pixels[i] = nothing;
        }
        return true;
    }
    if (!picture_fill(half, half_known, smooth - 1, nothing, error)) {
        return false;
    }
    pull(p, known, smooth > 0, half);
    return true;
}

/* ---- alpha ---- */

picture *picture_alpha(const picture *p, GError **error)
{
    picture *alpha = picture_create(p->width, p->height, 1, error);

    g_assert(p->channels == 4);
    if (alpha != NULL) {
        picture_take_channels(alpha, 0, p, 3, 1);
    }
    return alpha;
}

picture *picture_opaque(const picture *p, GError **error)
{
    const size_t n = (size_t)p->width * p->height;
    g_autoptr(picture) out = picture_create(p->width, p->height, 3, error);

    if (out == NULL) {
        return NULL;
    }
    picture_take_channels(out, 0, p, 0, 3);
    if (p->channels == 4) {
        g_autoptr(picture) alpha = picture_alpha(p, error);
        // a colour that can be seen at all is one: only what is clear has none
        for (size_t i = 0; alpha != NULL && i < n; i++) {
            alpha->pixels[i] = alpha->pixels[i] > 0 ? 1 : 0;
        }
        if (alpha == NULL || !picture_fill(out, alpha, 0, 0.5f, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&out);
}

picture *picture_with_alpha(const picture *p, const picture *alpha, GError **error)
{
    picture *out = picture_create(p->width, p->height, 4, error);

    if (out != NULL) {
        picture_take_channels(out, 0, p, 0, 3);
        picture_take_channels(out, 3, alpha, 0, 1);
    }
    return out;
}
