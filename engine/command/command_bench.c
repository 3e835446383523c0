/* svdiff bench: how fast this machine is. */
#include "engine/command/command.h"

#include "engine/bench/bench.h"
#include "engine/bench/bench_generate.h"
#include "engine/bench/bench_spectrum.h"
#include "engine/model/compvis_config.h"
#include "engine/session.h"

#include <string.h>

static const char summary[] =
    "Times the parts of the work with random weights and prints figures as JSON. --shapes sd15:\n"
    "those of Stable Diffusion 1.5, whatever model is there.";

struct bench {
    struct command common;
    char *what, *shapes;
    int width, height, batch, repeats;
    struct unet_config unet;
    struct vae_config vae;
    struct schedule_config schedule;
    svdiff *model; // whose schedule that is; NULL: no model's
    int tokens;
};

static const char *const parts[] = {"unet", "learn", "decode", "generate", "spectrum"};

static bool take_shapes(struct bench *b, GError **error)
{
    if (g_strcmp0(b->shapes, "sd15") == 0) {
        compvis_config_sd15(&b->unet, &b->vae, &b->schedule);
        b->tokens = 77;
        return true;
    }
    if (b->shapes != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "--shapes is '%s'; it can be sd15.",
                    b->shapes);
        return false;
    }
    b->model = svdiff_open(&b->common.session, error);
    if (b->model == NULL) {
        return false;
    }
    const struct checkpoint *c = b->model->checkpoint;
    b->unet = *checkpoint_unet_config(c);
    b->vae = *checkpoint_vae_config(c);
    b->schedule = *checkpoint_schedule_config(c);
    b->tokens = checkpoint_text_config(c)->positions;
    return true;
}

static int part_of(const char *what)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(parts); i++) {
        if (strcmp(what, parts[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool check(const struct bench *b, GError **error)
{
    if (part_of(b->what) < 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--what is '%s'; it can be unet, learn, decode, generate or "
                    "spectrum.",
                    b->what);
        return false;
    }
    if (b->width % 8 != 0 || b->height % 8 != 0 || b->width < 8 || b->height < 8 ||
        b->width > 8192 || b->height > 8192) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--width and --height must be divisible by 8 and at most 8192.");
        return false;
    }
    if (b->batch < 1 || b->batch > 64 || b->repeats < 1 || b->repeats > 1000) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--batch can be from 1 to 64, --repeats from 1 to 1000.");
        return false;
    }
    return true;
}

static JsonNode *as_json(const struct bench *b, const kernels *k, const struct bench_result *r)
{
    g_autoptr(JsonBuilder) j = json_builder_new();

    json_builder_begin_object(j);
    json_builder_set_member_name(j, "what");
    json_builder_add_string_value(j, b->what);
    json_builder_set_member_name(j, "seconds");
    json_builder_add_double_value(j, r->seconds);
    json_builder_set_member_name(j, "median_seconds");
    json_builder_add_double_value(j, r->median_seconds);
    json_builder_set_member_name(j, "flops");
    json_builder_add_double_value(j, r->flops);
    json_builder_set_member_name(j, "peak_bytes");
    json_builder_add_int_value(j, (gint64)r->peak_bytes);
    json_builder_set_member_name(j, "precision");
    json_builder_add_string_value(j, k->precision == KERNELS_BF16 ? "bf16" : "f32");
    json_builder_set_member_name(j, "threads");
    json_builder_add_int_value(j, k->threads);
    json_builder_set_member_name(j, "device");
    json_builder_add_string_value(j, k->name);
    json_builder_end_object(j);
    return json_builder_get_root(j);
}

static bool run_part(struct bench *b, const kernels *k, struct bench_result *result, GError **error)
{
    struct bench_options o = {.width = b->width,
                              .height = b->height,
                              .batch = b->batch,
                              .repeats = b->repeats,
                              .unet = &b->unet,
                              .vae = &b->vae,
                              .schedule = &b->schedule,
                              .tokens = b->tokens};

    if (strcmp(b->what, "spectrum") == 0) {
        return bench_spectrum(k, &b->unet, result, command_progress, &b->common, error);
    }
    if (strcmp(b->what, "generate") == 0) {
        return bench_generate(k, &o, result, command_progress, &b->common, error);
    }
    o.part = (enum bench_part)part_of(b->what);
    return bench_run(k, &o, result, command_progress, &b->common, error);
}

static bool run(struct bench *b, GError **error)
{
    struct bench_result result = {0};

    if (!check(b, error) || !take_shapes(b, error)) {
        return false;
    }
    g_autoptr(kernels) k = session_device(&b->common.session, error);
    if (k == NULL || !run_part(b, k, &result, error)) {
        return false;
    }
    g_autoptr(JsonNode) json = as_json(b, k, &result);
    return report_result(b->common.report, json, NULL, error);
}

int command_bench(interruption *stop, int argc, char **argv)
{
    struct bench b = {.common.stop = stop, .width = 512, .height = 512, .batch = 1, .repeats = 3};
    const GOptionEntry entries[] = {
        {"what", 0, 0, G_OPTION_ARG_FILENAME, &b.what,
         "unet, learn, decode, generate or spectrum (unet)", "NAME"},
        {"shapes", 0, 0, G_OPTION_ARG_FILENAME, &b.shapes, "sd15, or those of the model", "NAME"},
        {"width", 0, 0, G_OPTION_ARG_INT, &b.width, "pixels (512)", "N"},
        {"height", 0, 0, G_OPTION_ARG_INT, &b.height, "pixels (512)", "N"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &b.batch, "pictures at once (1)", "N"},
        {"repeats", 0, 0, G_OPTION_ARG_INT, &b.repeats, "runs, the best counts (3)", "N"},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    int code = command_begin(&b.common, &argc, &argv, entries, summary, "", &b, NULL);

    // after the options: GOption does not free what it replaces
    b.what = b.what != NULL ? b.what : g_strdup("unet");
    if (code == COMMAND_DONE && !run(&b, &error)) {
        code = command_fail(&b.common, error);
    }
    svdiff_close(b.model);
    g_free(b.what);
    g_free(b.shapes);
    return command_end(&b.common, code);
}
