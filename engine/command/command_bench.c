/* svdiff bench: how fast this machine is. */
#include "engine/command/command.h"

#include "engine/bench/bench.h"
#include "engine/bench/bench_generate.h"
#include "engine/bench/bench_plot.h"
#include "engine/bench/bench_spectrum.h"
#include "engine/bench/bench_start.h"
#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/model/compvis_config.h"
#include "engine/options/option_rows.h"
#include "engine/plot/plot.h"
#include "engine/session/session.h"

enum { WHAT_GENERATE = BENCH_DECODE + 1, WHAT_SPECTRUM, WHAT_START }; // beside enum bench_part

struct bench {
    struct command common;
    int what;
    bool shapes; // sd15
    int width, height, batch, texts, repeats;
    const char *plot; // NULL: none
    struct unet_config unet;
    struct vae_config vae;
    struct schedule_config schedule;
    svdiff *model; // whose schedule that is; NULL: no model's
    int tokens;
    struct bench_stages stages; // of WHAT_START
};

#define FIELD(field) offsetof(struct bench, field)

static const struct option rows[] = {
    CHOICE("what", FIELD(what), 0, 0,
           WORDS("unet", "learn", "decode", "generate", "spectrum", "start"), 0,
           "{words} ({default})"),
    EITHER("shapes", FIELD(shapes), 0, WORDS("model", "sd15"), 0, "sd15, or those of the model"),
    INT("width", FIELD(width), 512, 8, 8192, OPTION_PIXELS, "N", "pixels ({default})"),
    INT("height", FIELD(height), 512, 8, 8192, OPTION_PIXELS, "N", "pixels ({default})"),
    INT("batch", FIELD(batch), 1, 1, 64, 0, "N", "pictures at once ({default})"),
    INT("texts", FIELD(texts), 1, 1, 8, 0, "N",
        "of each picture, as guidance has 2; unet alone ({default})"),
    INT("repeats", FIELD(repeats), 3, 1, 1000, 0, "N", "runs, the best counts ({default})"),
    OTHER(OPTION_FILE, "plot", FIELD(plot), NULL, "FILE",
          "what the time is spent on as bars (.png or .svg)"),
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

// bars are parts of a time, and decomposing is one
static bool check_plot(const struct bench *b, GError **error)
{
    if (b->plot != NULL && b->what == WHAT_SPECTRUM) {
        return error_usage(error,
                           "--plot shows what a time is spent on, and --what spectrum has no "
                           "parts; leave one of them out.");
    }
    return b->plot == NULL || plot_check_name(b->plot, error);
}

static bool check(const struct bench *b, GError **error)
{
    if (b->what == WHAT_START && b->shapes) {
        return error_usage(error, "--what start reads the files of a model, and --shapes sd15 has "
                                  "none; say which with --model PATH.");
    }
    return check_plot(b, error) && output_check(b->plot, error) &&
           option_check_pixels(option_find(&table, "width"), b->width, 8, error) &&
           option_check_pixels(option_find(&table, "height"), b->height, 8, error);
}

// one kind of work; product_rate: of the machine's products, in operations a second
static JsonObject *kind_as_json(enum kernels_kind kind, const struct kernels_measure *m,
                                double product_rate)
{
    const double rate = m->seconds > 0 ? m->work / m->seconds : 0;
    JsonObject *one = json_object_new();

    json_object_set_string_member(one, "kind", kernels_kind_name(kind));
    json_object_set_int_member(one, "calls", m->calls);
    json_object_set_double_member(one, "seconds", m->seconds);
    if (kernels_kind_multiplies(kind)) {
        json_object_set_double_member(one, "gflops", rate / 1e9);
        json_object_set_double_member(one, "share_of_product_rate",
                                      product_rate > 0 ? rate / product_rate : 0);
    } else {
        json_object_set_double_member(one, "gb_per_second", rate / 1e9);
    }
    return one;
}

// what the time of the best run was spent on; "between": what is left of it
static void add_kinds(JsonObject *all, const struct bench_result *r, double product_rate)
{
    JsonArray *kinds = json_array_new();
    double between = r->seconds;

    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        json_array_add_object_element(
            kinds, kind_as_json((enum kernels_kind)kind, &r->kinds[kind], product_rate));
        between -= r->kinds[kind].seconds;
    }
    json_object_set_array_member(all, "kinds", kinds);
    json_object_set_double_member(all, "between_seconds", between);
    json_object_set_double_member(all, "product_gflops", product_rate / 1e9);
}

// what the time to the first step was spent on
static void add_stages(JsonObject *all, const struct bench_stages *s)
{
    JsonArray *stages = json_array_new();

    for (int i = 0; i < BENCH_STAGES; i++) {
        JsonObject *one = json_object_new();
        const double seconds = s->stage[i].seconds, bytes = (double)s->stage[i].bytes;
        json_object_set_string_member(one, "stage", bench_stage_name((enum bench_stage)i));
        json_object_set_double_member(one, "seconds", seconds);
        json_object_set_double_member(one, "processor_seconds", s->stage[i].processor_seconds);
        json_object_set_int_member(one, "bytes", (gint64)s->stage[i].bytes);
        json_object_set_double_member(one, "gb_per_second",
                                      seconds > 0 ? bytes / seconds / 1e9 : 0);
        json_array_add_object_element(stages, one);
    }
    json_object_set_array_member(all, "stages", stages);
}

static JsonObject *as_json(const struct bench *b, const kernels *k, const struct bench_result *r)
{
    JsonObject *all = json_object_new();

    json_object_set_string_member(all, "what", option_word(option_find(&table, "what"), b->what));
    json_object_set_double_member(all, "seconds", r->seconds);
    json_object_set_double_member(all, "median_seconds", r->median_seconds);
    json_object_set_double_member(all, "flops", r->flops);
    json_object_set_int_member(all, "peak_bytes", (gint64)r->peak_bytes);
    json_object_set_string_member(all, "precision", kernels_precision_word(k->precision));
    json_object_set_int_member(all, "threads", k->threads);
    json_object_set_string_member(all, "device", k->name);
    if (b->what == WHAT_START) {
        add_stages(all, &b->stages);
    } else if (b->what != WHAT_SPECTRUM) {
        add_kinds(all, r, bench_product_rate(k));
    }
    return all;
}

static bool run_part(struct bench *b, const kernels *k, struct bench_result *result, GError **error)
{
    struct bench_options o = {.width = b->width,
                              .height = b->height,
                              .batch = b->batch,
                              .texts = b->texts,
                              .repeats = b->repeats,
                              .unet = &b->unet,
                              .vae = &b->vae,
                              .schedule = &b->schedule,
                              .tokens = b->tokens};

    if (b->what == WHAT_SPECTRUM) {
        return bench_spectrum(k, &b->unet, result, command_progress, &b->common, error);
    }
    if (b->what == WHAT_START) {
        return bench_start(&b->common.session, b->width, b->height, &b->stages, result,
                           command_progress, &b->common, error);
    }
    if (b->what == WHAT_GENERATE) {
        return bench_generate(k, &o, result, command_progress, &b->common, error);
    }
    o.part = (enum bench_part)b->what;
    return bench_run(k, &o, result, command_progress, &b->common, error);
}

// no file of the model is overwritten
static bool check_overwrites(const struct bench *b, GError **error)
{
    g_autoptr(output_guard) guard = command_guard(b->model);

    return output_guard_writes(guard, "--plot", b->plot, error);
}

static bool draw(struct bench *b, const kernels *k, const struct bench_result *r, GError **error)
{
    g_autofree char *title = g_strdup_printf(
        "%s, %dx%d, %s, %d threads, %s", option_word(option_find(&table, "what"), b->what),
        b->width, b->height, kernels_precision_word(k->precision), k->threads, k->name);

    if (b->plot == NULL) {
        return true;
    }
    const bool drawn = b->what == WHAT_START ? bench_plot_stages(&b->stages, title, b->plot, error)
                                             : bench_plot_kinds(r, title, b->plot, error);
    if (drawn) {
        command_wrote(&b->common, b->plot);
    }
    return drawn;
}

static bool run(void *command, char *const *words, GError **error)
{
    struct bench *b = command;
    struct bench_result result = {0};

    if (!check(b, error) || !take_shapes(b, error) || !check_overwrites(b, error)) {
        return false;
    }
    g_autoptr(kernels) k = session_device(&b->common.session, error);
    if (k == NULL || !run_part(b, k, &result, error)) {
        return false;
    }
    g_autoptr(JsonObject) json = as_json(b, k, &result);
    return draw(b, k, &result, error) && report_result(b->common.report, json, NULL, error);
}

static void finish(void *command)
{
    struct bench *b = command;

    svdiff_close(b->model);
}

const struct command_kind command_bench = {
    .word = "bench",
    .purpose = "time the parts of the work on this machine",
    .summary =
        "Times the parts of the work with random weights and prints figures as JSON, split by\n"
        "kinds of operations: their seconds and rates, of products also the share of what\n"
        "this machine's reach. --shapes sd15: those of Stable Diffusion 1.5, whatever model\n"
        "is there. --what start: a model's own files, once, from opening them to the end of\n"
        "the first step of a picture; before that, how fast they are read, and what a model\n"
        "that was never seen costs once (hash).",
    .usage = "",
    .size = sizeof(struct bench),
    .table = &table,
    .opening = COMMAND_RUNS,
    .run = run,
    .finish = finish};
