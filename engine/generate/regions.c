/* Regions of a prompt; see regions.h. */
#include "engine/generate/regions.h"

#include "engine/base/error.h"
#include "engine/picture/mask.h"
#include "engine/picture/picture_scale.h"

#include <string.h>

// the region's mask, its own or its file's, on the grid: out [h, w]
static bool take_mask(const struct svdiff_region *r, int h, int w, float *out, GError **error)
{
    g_autoptr(picture) read = r->mask == NULL ? mask_read(r->file, 1, error) : NULL;
    const picture *mask = r->mask != NULL ? r->mask : read;
    struct mask_box box;

    if (mask == NULL) {
        return false;
    }
    if (!mask_bounds(mask, &box)) {
        return error_failed(
            error, "The region %s is empty: nothing of it is white, so its text would be nowhere.",
            r->file != NULL ? r->file : r->text);
    }
    g_autoptr(picture) grid = picture_area_mean(mask, w, h, error);
    if (grid == NULL) {
        return false;
    }
    // the mean of the mask over each latent: a border may run through one
    memcpy(out, grid->pixels, (size_t)h * w * sizeof *out);
    return true;
}

bool regions_open(struct regions *r, const struct svdiff_region *regions, int n, int h, int w,
                  GError **error)
{
    const size_t places = (size_t)h * w;

    // one place at least, so that there is something to free
    *r = (struct regions){.masks = g_new0(float, MAX(n, 1) * places)};
    r->list = (struct attention_regions){.n = n, .h = h, .w = w, .masks = r->masks};
    for (int i = 0; i < n; i++) {
        if (!take_mask(&regions[i], h, w, r->masks + i * places, error)) {
            return false;
        }
    }
    r->guide.regions = n > 0 ? &r->list : NULL;
    return true;
}

void regions_finish(struct regions *r)
{
    g_free(r->masks);
    *r = (struct regions){0};
}

static bool in_word(const char *text, const char *at)
{
    return at > text && g_ascii_isalnum(at[-1]) && g_ascii_isalnum(at[0]);
}

char *regions_rest(const char *prompt, const struct svdiff_region *regions, int n)
{
    GString *rest = g_string_new(prompt);

    for (int i = 0; i < n; i++) {
        const size_t length = strlen(regions[i].text);
        const char *at = length > 0 ? strstr(rest->str, regions[i].text) : NULL;
        // "cat" is not to be taken out of "catalogue"
        while (at != NULL && (in_word(rest->str, at) || in_word(rest->str, at + length))) {
            at = strstr(at + 1, regions[i].text);
        }
        if (at != NULL) {
            // a blank too many that is left makes no token
            g_string_erase(rest, at - rest->str, (gssize)length);
        }
    }
    return g_string_free(rest, FALSE);
}
