/* svdiff spectrum: the spectra of a model, computed, proved or cleared. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/options/option_rows.h"
#include "engine/spectrum/model_spectrum.h"

struct spectrum_command {
    struct command common;
    bool check, clear;
    const char *cache;
    double limit;                          // GB
    int bad;                               // weights beyond the bounds
    double reconstruction, orthonormality; // worst
};

#define FIELD(field) offsetof(struct spectrum_command, field)

static const struct option rows[] = {
    BOOL("check", FIELD(check), 0, 0, "prove them against the weights"),
    BOOL("clear", FIELD(clear), 0, 0, "remove them from the cache"),
    OTHER(OPTION_FILE, "cache", FIELD(cache), NULL, "PATH", "another folder to keep them in"),
    NUMBER("cache-limit", FIELD(limit), 10, 0, 1e6, 0, "X",
           "GB that all spectra may take ({default})"),
};
static const struct option_table table = {"spectrum", sizeof(struct spectrum_command), rows,
                                          G_N_ELEMENTS(rows)};

// the worst of all, and a line for each that is beyond the bounds
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

// fails where one is bad: what learns with it would learn nonsense
static bool check(struct spectrum_command *s, struct model_spectrum *m, GError **error)
{
    if (!model_spectrum_check(m, on_accuracy, s, error)) {
        return false;
    }
    if (s->bad > 0) {
        return error_failed(error, "%d spectra are not exact enough; clear them with --clear.",
                            s->bad);
    }
    return true;
}

// path: where the spectra are kept; NULL: they are gone
static bool tell(struct spectrum_command *s, const char *path, GError **error)
{
    g_autoptr(JsonObject) result = json_object_new();

    json_object_set_string_member(result, "file", path);
    if (s->check) {
        json_object_set_double_member(result, "reconstruction", s->reconstruction);
        json_object_set_double_member(result, "orthonormality", s->orthonormality);
    }
    return report_result(s->common.report, result, NULL, error);
}

// reads them from the cache where they are there
static bool compute(struct spectrum_command *s, svdiff *session, GError **error)
{
    struct model_spectrum *m =
        model_spectrum_open(session, NULL, command_progress, &s->common, error);

    if (m == NULL) {
        return false;
    }
    const bool done = (!s->check || check(s, m, error)) && tell(s, model_spectrum_path(m), error);
    model_spectrum_close(m);
    return done;
}

static bool run(void *command, char *const *words, GError **error)
{
    struct spectrum_command *s = command;

    if (s->check && s->clear) {
        return error_usage(error,
                           "--check and --clear do not go together; prove the spectra first.");
    }
    // of this command alone: the others take the user's cache as it is
    s->common.session.cache = s->cache;
    // 0 would be the limit that is there unasked
    s->common.session.cache_limit = MAX(1, (uint64_t)(s->limit * 1e9));
    g_autoptr(svdiff) session = svdiff_open(&s->common.session, error);
    if (session == NULL) {
        return false;
    }
    command_tell_device(&s->common, session);
    return s->clear ? model_spectrum_remove(session, command_progress, &s->common, error) &&
                          tell(s, NULL, error)
                    : compute(s, session, error);
}

const struct command_kind command_spectrum = {
    .word = "spectrum",
    .purpose = "compute, check or clear the spectra of a model",
    .summary = "Computes the singular value decompositions of a model's weights and keeps them, so "
               "that\nlearning starts at once.",
    .usage = "",
    .size = sizeof(struct spectrum_command),
    .table = &table,
    .opening = COMMAND_OPENS,
    .spreads = true,
    .run = run};
