/* svdiff bench: how fast this machine is. */
#include "engine/command/command.h"

#include "engine/bench/bench.h"
#include "engine/bench/bench_generate.h"
#include "engine/bench/bench_spectrum.h"
#include "engine/model/compvis_config.h"
#include "engine/options/option_rows.h"
#include "engine/session/session.h"

static const char summary[] =
    "Times the parts of the work with random weights and prints figures as JSON. --shapes sd15:\n"
    "those of Stable Diffusion 1.5, whatever model is there.";

enum { WHAT_GENERATE = BENCH_DECODE + 1, WHAT_SPECTRUM }; // beside enum bench_part

struct bench {
    struct command common;
    int what;
    bool shapes; // sd15
    int width, height, batch, repeats;
    struct unet_config unet;
    struct vae_config vae;
    struct schedule_config schedule;
    svdiff *model; // whose schedule that is; NULL: no model's
    int tokens;
};

#define FIELD(field) offsetof(struct bench, field)

static const struct option rows[] = {
    CHOICE("what", FIELD(what), 0, 0, WORDS("unet", "learn", "decode", "generate", "spectrum"), 0,
           "{words} ({default})"),
    EITHER("shapes", FIELD(shapes), 0, WORDS("model", "sd15"), 0, "sd15, or those of the model"),
    INT("width", FIELD(width), 512, 8, 8192, OPTION_PIXELS, "N", "pixels ({default})"),
    INT("height", FIELD(height), 512, 8, 8192, OPTION_PIXELS, "N", "pixels ({default})"),
    INT("batch", FIELD(batch), 1, 1, 64, 0, "N", "pictures at once ({default})"),
    INT("repeats", FIELD(repeats), 3, 1, 1000, 0, "N", "runs, the best counts ({default})"),
};
static const struct option_table table = {"bench", sizeof(struct bench), rows, G_N_ELEMENTS(rows)};

static bool take_shapes(struct bench *b, GError **error)
{
    if (b->shapes) {
        compvis_config_sd15(&b->unet, &b->vae, &b->schedule);
        b->tokens = 77;
        return true;
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

static bool check(const struct bench *b, GError **error)
{
    return option_check_pixels(option_find(&table, "width"), b->width, 8, error) &&
           option_check_pixels(option_find(&table, "height"), b->height, 8, error);
}

static JsonNode *as_json(const struct bench *b, const kernels *k, const struct bench_result *r)
{
    g_autoptr(JsonBuilder) j = json_builder_new();

    json_builder_begin_object(j);
    json_builder_set_member_name(j, "what");
    json_builder_add_string_value(j, option_word(option_find(&table, "what"), b->what));
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

    if (b->what == WHAT_SPECTRUM) {
        return bench_spectrum(k, &b->unet, result, command_progress, &b->common, error);
    }
    if (b->what == WHAT_GENERATE) {
        return bench_generate(k, &o, result, command_progress, &b->common, error);
    }
    o.part = (enum bench_part)b->what;
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

int command_bench(const struct caller *caller, int argc, char **argv)
{
    static const struct command_line line = {
        .summary = summary, .usage = "", .table = &table, .opening = COMMAND_RUNS};
    struct bench b = {.common.caller = caller};
    GError *error = NULL;
    int code = command_begin(&b.common, &argc, &argv, &line, NULL, NULL);

    if (code == COMMAND_DONE && !run(&b, &error)) {
        code = command_fail(&b.common, error);
    }
    svdiff_close(b.model);
    return command_end(&b.common, code);
}
