/* svdiff spectrum: the spectra of a model, computed, proved or cleared. */
#include "engine/command/command.h"

#include "engine/spectrum/model_spectrum.h"

static const char summary[] =
    "Computes the singular value decompositions of a model's weights and keeps them, so that\n"
    "learning starts at once.";

struct spectrum_command {
    struct command common;
    gboolean check, clear;
    char *cache;
    double limit;                          // GB
    int bad;                               // weights beyond the bounds
    double reconstruction, orthonormality; // worst
};

static void on_accuracy(void *user, const char *name, const struct svd_accuracy *a)
{
    struct spectrum_command *s = user;

    s->reconstruction = MAX(s->reconstruction, a->reconstruction);
    s->orthonormality = MAX(s->orthonormality, a->orthonormality);
    if (!svd_accuracy_good(a)) {
        s->bad++;
        report_warning(s->common.report, "%s: reconstruction %.3g, orthonormality %.3g", name,
                       a->reconstruction, a->orthonormality);
    }
}

static bool check(struct spectrum_command *s, struct model_spectrum *m, GError **error)
{
    if (!model_spectrum_check(m, on_accuracy, s, error)) {
        return false;
    }
    if (s->bad > 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "%d spectra are not exact enough; clear them with --clear.", s->bad);
        return false;
    }
    return true;
}

static bool tell(struct spectrum_command *s, const char *path, GError **error)
{
    g_autoptr(JsonBuilder) j = json_builder_new();

    json_builder_begin_object(j);
    json_builder_set_member_name(j, "file");
    path != NULL ? json_builder_add_string_value(j, path) : json_builder_add_null_value(j);
    if (s->check) {
        json_builder_set_member_name(j, "reconstruction");
        json_builder_add_double_value(j, s->reconstruction);
        json_builder_set_member_name(j, "orthonormality");
        json_builder_add_double_value(j, s->orthonormality);
    }
    json_builder_end_object(j);
    g_autoptr(JsonNode) json = json_builder_get_root(j);
    return report_result(s->common.report, json, NULL, error);
}

static bool compute(struct spectrum_command *s, svdiff *session, GError **error)
{
    struct model_spectrum *m = model_spectrum_open(session, command_progress, &s->common, error);

    if (m == NULL) {
        return false;
    }
    const bool done = (!s->check || check(s, m, error)) && tell(s, model_spectrum_path(m), error);
    model_spectrum_close(m);
    return done;
}

static bool run(struct spectrum_command *s, GError **error)
{
    if (s->check && s->clear) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--check and --clear do not go together; prove the spectra first.");
        return false;
    }
    // not a number fails every comparison
    if (!(s->limit >= 0 && s->limit <= 1e6)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--cache-limit is %g; it can be from 0 to 1000000 GB.", s->limit);
        return false;
    }
    s->common.session.cache = s->cache;
    // 0 would be the limit that is there unasked
    s->common.session.cache_limit = MAX(1, (uint64_t)(s->limit * 1e9));
    g_autoptr(svdiff) session = svdiff_open(&s->common.session, error);
    if (session == NULL) {
        return false;
    }
    return s->clear ? model_spectrum_remove(session, command_progress, &s->common, error) &&
                          tell(s, NULL, error)
                    : compute(s, session, error);
}

int command_spectrum(interruption *stop, int argc, char **argv)
{
    struct spectrum_command s = {.common.stop = stop, .limit = 10};
    const GOptionEntry entries[] = {
        {"check", 0, 0, G_OPTION_ARG_NONE, &s.check, "prove them against the weights", NULL},
        {"clear", 0, 0, G_OPTION_ARG_NONE, &s.clear, "remove them from the cache", NULL},
        {"cache", 0, 0, G_OPTION_ARG_FILENAME, &s.cache, "another folder to keep them in", "PATH"},
        {"cache-limit", 0, 0, G_OPTION_ARG_DOUBLE, &s.limit, "GB that all spectra may take (10)",
         "X"},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    int code = command_begin(&s.common, &argc, &argv, entries, summary, "", &s, NULL);

    if (code == COMMAND_DONE && !run(&s, &error)) {
        code = command_fail(&s.common, error);
    }
    g_free(s.cache);
    return command_end(&s.common, code);
}
