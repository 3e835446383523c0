/* What the command says, byte for byte: into memory in place of the standard streams, with times
 * that are given. */
#include "engine/command/command_report.h"
#include "engine/base/error.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000000)

struct streams {
    char *out_text, *err_text;
    size_t out_size, err_size;
    FILE *out, *err;
};

static struct report *start(struct streams *s, enum report_style style, bool quiet, int columns)
{
    s->out = open_memstream(&s->out_text, &s->out_size);
    s->err = open_memstream(&s->err_text, &s->err_size);
    return report_create_on(s->out, s->err, style, quiet, columns);
}

// ends the report and compares all that it wrote
static void finish(struct streams *s, struct report *r, const char *out, const char *err)
{
    report_free(r);
    fclose(s->out);
    fclose(s->err);
    g_assert_cmpstr(s->out_text, ==, out);
    g_assert_cmpstr(s->err_text, ==, err);
    free(s->out_text);
    free(s->err_text);
}

static struct progress make_step(int step, int steps)
{
    return (struct progress){
        .phase = "learn", .step = step, .steps = steps, .loss = 0.25, .seconds_left = 65};
}

static struct progress make_file(enum progress_event event, const char *file)
{
    return (struct progress){.event = event,
                             .phase = "learn",
                             .step = 2,
                             .steps = 9,
                             .loss = -1,
                             .seconds_left = -1,
                             .file = file};
}

static void test_bar(void)
{
    const struct progress first = make_step(5, 10), second = make_step(6, 10);
    const struct progress last = make_step(10, 10);
    struct streams s;
    struct report *r = start(&s, REPORT_BAR, false, 46);

    report_progress_at(r, &first, SECOND);
    report_progress_at(r, &second, SECOND + 1); // too soon
    report_progress_at(r, &second, 2 * SECOND);
    report_warning(r, "memory is short");         // takes the line of the bar
    report_progress_at(r, &last, 2 * SECOND + 1); // the end is always shown
    report_progress_at(r, &last, 2 * SECOND + 2); // but once
    finish(&s, r, "",
           "\rlearn  5/10 [###----]  loss 0.2500  1:05 left\033[K"
           "\rlearn  6/10 [####---]  loss 0.2500  1:05 left\033[K"
           "\r\033[Kwarning: memory is short\n"
           "\rlearn 10/10 [#######]  loss 0.2500  1:05 left\033[K\n");
}

// a phase that is over stays on its line
static void test_bar_phases(void)
{
    struct progress p = make_step(1, 1);
    struct streams s;
    struct report *r = start(&s, REPORT_BAR, false, 20);

    p.loss = p.seconds_left = -1;
    p.phase = "spectrum";
    report_progress_at(r, &p, SECOND);
    p.phase = "generate";
    report_progress_at(r, &p, SECOND + 1);
    finish(&s, r, "", "\rspectrum 1/1 [####]\033[K\n\rgenerate 1/1 [####]\033[K\n");
}

// whatever is to be said fits into the width, and the bar goes first
static void test_width(void)
{
    const char *const lines[] = {
        [5] = "\rlear\033[K\n",
        [30] = "\rlearn  5/10  loss 0.2500  1:0\033[K\n",
        [38] = "\rlearn  5/10  loss 0.2500  1:05 left\033[K\n",
        [80] = "\rlearn  5/10 [###################-------------------]  loss 0.2500  1:05 left"
               "\033[K\n",
        [120] = NULL,
    };

    for (int columns = 0; columns < 120; columns++) {
        if (lines[columns]) {
            const struct progress p = make_step(5, 10);
            struct streams s;
            struct report *r = start(&s, REPORT_BAR, false, columns);
            report_progress_at(r, &p, SECOND);
            finish(&s, r, "", lines[columns]);
        }
    }
}

static void test_lines(void)
{
    struct progress p = make_step(1, 500);
    const struct progress sample = make_file(PROGRESS_SAMPLE, "a\nb\033.png");
    const struct progress checkpoint = make_file(PROGRESS_CHECKPOINT, "a.resume");
    const char *const files[] = {"a-1.png", "a-2.png", NULL};
    struct streams s;
    struct report *r = start(&s, REPORT_LINES, false, 0);

    report_note(r, "seed %d", 7);
    report_progress_at(r, &p, 100 * SECOND);
    p.step = 2;
    report_progress_at(r, &p, 109 * SECOND);
    report_progress_at(r, &sample, 109 * SECOND);
    report_progress_at(r, &checkpoint, 109 * SECOND);
    p.loss = NAN;
    p.seconds_left = 3725;
    report_progress_at(r, &p, 110 * SECOND);
    p.step = 500;
    p.seconds_left = -1;
    report_progress_at(r, &p, 110 * SECOND + 1);
    report_files(r, files);
    finish(&s, r, "",
           "seed 7\n"
           "learn   1/500  loss 0.2500  1:05 left\n"
           "sample: a?b?.png\n"
           "checkpoint: a.resume\n"
           "learn   2/500  1:02:05 left\n"
           "learn 500/500\n"
           "wrote a-1.png\nwrote a-2.png\n");
}

static void test_json(void)
{
    struct progress p = make_step(1, 9);
    const struct progress sample = make_file(PROGRESS_SAMPLE, "a\n\"b\".png");
    const struct progress checkpoint = make_file(PROGRESS_CHECKPOINT, "caf\xe9.resume");
    const char *const files[] = {"katze-猫.safetensors", NULL}, *const none[] = {NULL};
    struct streams s;
    struct report *r = start(&s, REPORT_JSON, false, 0);

    report_progress_at(r, &p, SECOND);
    report_progress_at(r, &p, SECOND + 1); // the same step, too soon
    p.step = 2;
    p.loss = NAN;
    report_progress_at(r, &p, SECOND + 2); // another step
    p.seconds_left = -1;
    report_progress_at(r, &p, 2 * SECOND); // long enough after
    report_progress_at(r, &sample, 2 * SECOND);
    report_progress_at(r, &checkpoint, 2 * SECOND);
    report_warning(r, "%d words are left out", 3);
    report_note(r, "seed 7");
    report_files(r, files);
    report_files(r, none);
    report_error(r, "a.png: this file\nis empty.", NULL);
    report_error(r, "no space", files);
    finish(&s, r,
           "{\"event\":\"progress\",\"phase\":\"learn\",\"step\":1,\"steps\":9,\"loss\":0.25,"
           "\"seconds_left\":65.0}\n"
           "{\"event\":\"progress\",\"phase\":\"learn\",\"step\":2,\"steps\":9,"
           "\"seconds_left\":65.0}\n"
           "{\"event\":\"progress\",\"phase\":\"learn\",\"step\":2,\"steps\":9}\n"
           "{\"event\":\"sample\",\"phase\":\"learn\",\"step\":2,\"steps\":9,"
           "\"file\":\"a\\n\\\"b\\\".png\"}\n"
           "{\"event\":\"checkpoint\",\"phase\":\"learn\",\"step\":2,\"steps\":9,"
           "\"file\":\"caf\xef\xbf\xbd.resume\"}\n"
           "{\"event\":\"warning\",\"message\":\"3 words are left out\"}\n"
           "{\"event\":\"done\",\"file\":\"katze-猫.safetensors\","
           "\"files\":[\"katze-猫.safetensors\"]}\n"
           "{\"event\":\"done\",\"files\":[]}\n"
           "{\"event\":\"error\",\"message\":\"a.png: this file\\nis empty.\"}\n"
           "{\"event\":\"error\",\"message\":\"no space\","
           "\"files\":[\"katze-猫.safetensors\"]}\n",
           "warning: 3 words are left out\nseed 7\na.png: this file?is empty.\nno space\n");
}

static void test_quiet(void)
{
    const struct progress p = make_step(10, 10), sample = make_file(PROGRESS_SAMPLE, "a.png");
    const char *const files[] = {"a.png", NULL};

    for (int json = 0; json < 2; json++) {
        struct streams s;
        struct report *r = start(&s, json ? REPORT_JSON : REPORT_LINES, true, 0);
        report_progress_at(r, &p, SECOND);
        report_progress_at(r, &sample, SECOND);
        report_note(r, "seed 7");
        report_warning(r, "short");
        report_files(r, files);
        finish(&s, r,
               json ? "{\"event\":\"warning\",\"message\":\"short\"}\n"
                      "{\"event\":\"done\",\"file\":\"a.png\",\"files\":[\"a.png\"]}\n"
                    : "",
               "warning: short\n");
    }
}

static void test_result(void)
{
    g_autoptr(JsonNode) node = json_from_string("{\"kind\":\"subject\",\"share\":0.5}", NULL);
    g_autoptr(GError) error = NULL;
    struct streams s;
    struct report *r = start(&s, REPORT_LINES, true, 0);

    g_assert_true(report_result(r, json_node_get_object(node), "a subject\n\033[2J", &error));
    g_assert_true(report_result(r, json_node_get_object(node), NULL, &error));
    finish(&s, r, "a subject\n?[2J\n{\"kind\":\"subject\",\"share\":0.5}\n", "");
    r = start(&s, REPORT_JSON, false, 0);
    g_assert_true(report_result(r, json_node_get_object(node), "a subject", &error));
    finish(&s, r, "{\"kind\":\"subject\",\"share\":0.5}\n", "");
}

static void test_full_output(void)
{
    g_autoptr(JsonNode) node = json_from_string("{}", NULL);
    g_autoptr(GError) error = NULL;
    FILE *full = fopen("/dev/full", "w");
    struct report *r;

    if (!full) {
        g_test_skip("there is no /dev/full");
        return;
    }
    r = report_create_on(full, stderr, REPORT_LINES, false, 0);
    g_assert_false(report_result(r, json_node_get_object(node), NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "No space left on device"));
    report_free(r);
    fclose(full);
}

// a locale with a decimal comma changes nothing
static void test_locale(void)
{
    g_autofree char *old = g_strdup(setlocale(LC_ALL, NULL));

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE.utf8") &&
        !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        g_test_skip("no locale with a decimal comma is installed");
        return;
    }
    test_json();
    test_bar();
    setlocale(LC_ALL, old);
}

static void noise(void)
{
    report_silence_logs();
    g_warning("a library's warning");
    g_critical("a library's critical");
    g_message("a library's message");
    g_printerr("a library's print\n");
    fprintf(stderr, "our own\n");
    exit(0);
}

static void test_silence(void)
{
    if (g_test_subprocess()) {
        // as in the command, where they are not fatal
        g_log_set_always_fatal(G_LOG_FATAL_MASK);
        noise();
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("our own\n");
}

static void test_fatal(void)
{
    if (g_test_subprocess()) {
        report_silence_logs();
        g_error("the reason");
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*the reason*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/command_report/bar", test_bar);
    g_test_add_func("/command_report/bar-phases", test_bar_phases);
    g_test_add_func("/command_report/width", test_width);
    g_test_add_func("/command_report/lines", test_lines);
    g_test_add_func("/command_report/json", test_json);
    g_test_add_func("/command_report/quiet", test_quiet);
    g_test_add_func("/command_report/result", test_result);
    g_test_add_func("/command_report/full-output", test_full_output);
    g_test_add_func("/command_report/locale", test_locale);
    g_test_add_func("/command_report/silence", test_silence);
    g_test_add_func("/command_report/fatal", test_fatal);
    return g_test_run();
}
