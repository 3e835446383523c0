/* plug-in-svdiff-learn: a layer, or what of it is marked, to a subject file. */
#include "plugin/call.h"
#include "plugin/job.h"
#include "plugin/layers_in.h"
#include "plugin/paths.h"

#include "engine/svdiff.h"

// the rectangle that marks the subject: of the mask, else of the selection; false with a sentence
static bool find_mark(const struct call *c, struct host_area *mark, GError **error)
{
    const host_item mask = values_int(c->values, "mask-channel");

    *mark = host_item_area(c->drawable);
    if (mask <= 0) { // 0 is what scripts give for none, too
        host_selection_area(c->image, mark);
        return true;
    }
    if (!host_is_channel_of(mask, c->image)) {
        g_set_error(
            error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
            "mask-channel is no channel of this image; choose one of its channels, or none.");
        return false;
    }
    if (!layers_in_bounds(mask, mark)) {
        g_autofree char *name = host_item_name(mask);
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The channel “%s” marks nothing; paint the subject white in it.", name);
        return false;
    }
    return true;
}

// the part of the layer that is learned from; false with a sentence
static bool find_area(const struct call *c, struct host_area *area, GError **error)
{
    const struct host_area layer = host_item_area(c->drawable);
    struct host_area mark;

    if (!find_mark(c, &mark, error)) {
        return false;
    }
    if (!layers_in_intersect(&layer, &mark, area)) {
        g_autofree char *name = host_item_name(c->drawable);
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "What is marked lies beside the layer “%s”; select something on the layer.",
                    name);
        return false;
    }
    return true;
}

static bool check_region(const struct call *c, GError **error)
{
    if (values_int(c->values, "region-channel") <= 0) {
        return true;
    }
    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
        "region-channel is for several subjects learned at once; one subject has none (-1).");
    return false;
}

static char *find_output(const values *v, GError **error)
{
    const char *output = values_text(v, "output");

    return output[0] != '\0' ? g_strdup(output) : paths_subject(values_text(v, "name"), error);
}

static GPtrArray *make_arguments(const values *v, const char *image, const char *output)
{
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *seed = g_strdup_printf("%d", call_seed(v));

    call_add_text(a, "--prompt", values_text(v, "prompt"));
    call_add_text(a, "--class-prompt", values_text(v, "class-prompt"));
    call_add_text(a, "--image", image);
    call_add_text(a, "--output", output);
    call_add_text(a, "--model", values_text(v, "model"));
    call_add_int(a, "--steps", values_int(v, "steps"));
    call_add_number(a, "--learning-rate", values_number(v, "learning-rate"));
    call_add_int(a, "--size", values_int(v, "size"));
    call_add_text(a, "--seed", seed);
    return a;
}

bool call_learn(const struct call *c, struct call_result *result, GError **error)
{
    struct host_area area;

    if (!call_check_layer(c, error) || !check_region(c, error) || !find_area(c, &area, error)) {
        return false;
    }
    g_autofree char *output = find_output(c->values, error);
    g_autoptr(picture) p = output != NULL ? layers_in_read(c->drawable, &area, error) : NULL;
    g_autoptr(scratch) folder = p != NULL ? scratch_create(error) : NULL;
    if (folder == NULL) {
        return false;
    }
    g_autofree char *image = scratch_file(folder, "layer.tif");
    g_autoptr(GPtrArray) arguments = make_arguments(c->values, image, output);
    if (!picture_write(image, p, NULL, 0, error) ||
        !job_run("learn", arguments, folder, c, NULL, error)) {
        return false;
    }
    result->file = g_steal_pointer(&output);
    return true;
}
