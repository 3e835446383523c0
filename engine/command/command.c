/* What the commands share; see command.h. */
#include "engine/command/command.h"
#include "engine/command/nearest_word.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- common options ---- */

static const char *const devices[] = {"auto", "cpu", "cuda"};
static const char *const precisions[] = {"auto", "f32", "bf16"};
static const char *const predictions[] = {"", "v", "epsilon"}; // none: what the model says

static int word_index(const char *const *words, int n, const char *word)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

static bool parse_device(struct command *c, GError **error)
{
    const char *word = c->device != NULL ? c->device : "auto";
    int device = word_index(devices, G_N_ELEMENTS(devices), word);

    if (g_str_has_prefix(word, "cuda:")) {
        device = SVDIFF_DEVICE_CUDA;
    }
    if (device < 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--device is '%s'; it can be auto, cpu, cuda or cuda:N.", word);
        return false;
    }
    c->session.device = (enum svdiff_device)device;
    return true;
}

static bool parse_precision(struct command *c, GError **error)
{
    const char *word = c->precision != NULL ? c->precision : "auto";
    const int precision = word_index(precisions, G_N_ELEMENTS(precisions), word);

    if (precision < 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--precision is '%s'; it can be auto, f32 or bf16.", word);
        return false;
    }
    c->session.precision = (enum svdiff_precision)precision;
    return true;
}

static bool parse_prediction(struct command *c, GError **error)
{
    const int prediction = c->prediction == NULL
                               ? SVDIFF_PREDICTION_MODEL
                               : word_index(predictions, G_N_ELEMENTS(predictions), c->prediction);

    if (prediction < 0 || (c->prediction != NULL && prediction == SVDIFF_PREDICTION_MODEL)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--prediction is '%s'; it can be v or epsilon.", c->prediction);
        return false;
    }
    c->session.prediction = (enum svdiff_prediction)prediction;
    return true;
}

static bool parse_seed(struct command *c, GError **error)
{
    if (c->seed_text == NULL) {
        c->seed = g_random_int();
        return true;
    }
    if (!g_ascii_string_to_unsigned(c->seed_text, 10, 0, G_MAXINT64, &c->seed, NULL)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--seed is '%s'; it must be a whole number from 0 to %" G_GINT64_FORMAT ".",
                    c->seed_text, G_MAXINT64);
        return false;
    }
    return true;
}

static bool finish_common(struct command *c, GError **error)
{
    if (c->threads < 0 || c->threads > 1024) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--threads is %d; it can be from 0 (all) to 1024.", c->threads);
        return false;
    }
    c->session.threads = c->threads;
    if (!parse_device(c, error) || !parse_precision(c, error) || !parse_prediction(c, error) ||
        !parse_seed(c, error)) {
        return false;
    }
    c->session.model = c->model;
    c->session.tokenizer = c->tokenizer;
    return true;
}

static void warn(void *user, const char *sentence)
{
    struct command *c = user;

    report_warning(c->report, "%s", sentence);
}

static void note(void *user, const char *sentence)
{
    struct command *c = user;

    report_note(c->report, "%s", sentence);
}

static guint count_entries(const GOptionEntry *entries)
{
    guint n = 0;

    while (entries[n].long_name != NULL) {
        n++;
    }
    return n;
}

// a command's own options, then those of all; g_free it
static GOptionEntry *join_entries(struct command *c, const GOptionEntry *own)
{
    const GOptionEntry common[] = {
        {"model", 0, 0, G_OPTION_ARG_FILENAME, &c->model,
         "a diffusers folder or a .safetensors file (default: the model that ships)", "PATH"},
        {"tokenizer", 0, 0, G_OPTION_ARG_FILENAME, &c->tokenizer,
         "a tokenizer in place of the model's (its own, else CLIP's, which ships)", "FOLDER"},
        {"prediction", 0, 0, G_OPTION_ARG_FILENAME, &c->prediction,
         "what the model predicts, where its file does not say or is wrong: v or epsilon", "NAME"},
        {"device", 0, 0, G_OPTION_ARG_FILENAME, &c->device, "auto, cpu, cuda or cuda:N (auto)",
         "NAME"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &c->threads, "processors to use (all)", "N"},
        {"precision", 0, 0, G_OPTION_ARG_FILENAME, &c->precision, "auto, f32 or bf16 (auto)",
         "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_FILENAME, &c->seed_text,
         "what random numbers begin with (a random one, which is said)", "N"},
        {"quiet", 0, 0, G_OPTION_ARG_NONE, &c->quiet, "only warnings and errors", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &c->json, "progress as one JSON object a line", NULL},
        {"worker", 0, 0, G_OPTION_ARG_NONE, &c->worker,
         "obey lines on standard input (cancel, stop); its end cancels", NULL},
        G_OPTION_ENTRY_NULL};
    GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    g_array_append_vals(all, own, count_entries(own));
    g_array_append_vals(all, common, count_entries(common));
    return (GOptionEntry *)(void *)g_array_free(all, FALSE);
}

static GOptionContext *make_context(const GOptionEntry *entries, const char *usage,
                                    const char *summary, void *data)
{
    GOptionContext *context = g_option_context_new(usage);
    GOptionGroup *group = g_option_group_new("", "", "", data, NULL);

    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, summary);
    return context;
}

// an error of GOption, or of converting a text of its, is wrong usage in a sentence of ours
static GError *usage_error(GError *error)
{
    if (error->domain == SVDIFF_ERROR) {
        return error;
    }
    GError *ours = g_error_new(
        SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "%s%s; see --help.",
        error->domain == G_OPTION_ERROR ? "" : "A word of the command line: ", error->message);
    g_error_free(error);
    return ours;
}

static bool check_left(int argc, char **argv, char ***arguments, GError **error)
{
    if (arguments != NULL) {
        *arguments = argv + 1;
        return true;
    }
    if (argc > 1) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "'%s' is no option of this command; see --help.", argv[1]);
        return false;
    }
    return true;
}

/* Behind an option that there is not: the nearest one that there is. Words that GOption knows by
 * itself are left to it. */
static GError *suggest(GError *error, const GOptionEntry *entries)
{
    static const char before[] = "Unknown option -";
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) ||
        !g_str_has_prefix(error->message, before)) {
        return error;
    }
    for (; entries->long_name != NULL; entries++) {
        g_ptr_array_add(names, (char *)entries->long_name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *typed = g_strdup(error->message + strlen(before));
    typed[strcspn(typed, "=")] = '\0';
    const char *name = nearest_word(typed + strspn(typed, "-"), (const char *const *)names->pdata);
    if (name != NULL) {
        char *message = g_strdup_printf("%s; is --%s meant", error->message, name);
        g_free(error->message);
        error->message = message;
    }
    return error;
}

// the option that a word is, alone or with its value; NULL: none
static const GOptionEntry *find_entry(const GOptionEntry *entries, const char *word)
{
    if (!g_str_has_prefix(word, "--")) {
        return NULL;
    }
    const size_t length = strcspn(word + 2, "=");
    for (; entries->long_name != NULL; entries++) {
        if (strlen(entries->long_name) == length &&
            strncmp(word + 2, entries->long_name, length) == 0) {
            return entries;
        }
    }
    return NULL;
}

// "--output=" with nothing behind it (a text may be empty), or "--output --steps"
static bool check_value(char **word, const GOptionEntry *e, const GOptionEntry *entries,
                        GError **error)
{
    const char *equals = strchr(word[0], '=');

    if (equals != NULL && equals[1] == '\0' && g_strcmp0(e->arg_description, "TEXT") != 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s is empty; say what it is, or leave it out.", word[0]);
        return false;
    }
    if (equals == NULL && e->arg != G_OPTION_ARG_NONE && word[1] != NULL &&
        find_entry(entries, word[1]) != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s has no value: %s is the next option; say what it is, or leave it out.",
                    word[0], word[1]);
        return false;
    }
    return true;
}

static bool check_values(char **argv, const GOptionEntry *entries, GError **error)
{
    for (char **word = argv + 1; *word != NULL && strcmp(*word, "--") != 0; word++) {
        const GOptionEntry *e = find_entry(entries, *word);
        if (e == NULL) {
            continue;
        }
        if (!check_value(word, e, entries, error)) {
            return false;
        }
        // what stands behind it is its value, whatever it looks like
        word += strchr(*word, '=') == NULL && e->arg != G_OPTION_ARG_NONE && word[1] != NULL;
    }
    return true;
}

int command_begin(struct command *c, int *argc, char ***argv, const GOptionEntry *entries,
                  const char *summary, const char *usage, void *data, char ***arguments)
{
    g_autofree GOptionEntry *all = join_entries(c, entries);
    g_autoptr(GOptionContext) context = make_context(all, usage, summary, data);
    g_autofree char *name = g_strdup_printf("svdiff %s", (*argv)[0]);
    GError *error = NULL;

    g_set_prgname(name); // what help calls it
    const bool parsed =
        check_values(*argv, all, &error) && g_option_context_parse(context, argc, argv, &error);
    error = error != NULL ? suggest(error, all) : NULL;

    c->report = report_create(c->json     ? REPORT_JSON
                              : c->worker ? REPORT_JSON
                                          : REPORT_AUTO,
                              c->quiet);
    c->session.warn = warn;
    c->session.note = note;
    c->session.user = c;
    if (!parsed || !check_left(*argc, *argv, arguments, &error) || !finish_common(c, &error)) {
        return command_fail(c, usage_error(error));
    }
    signal(SIGPIPE, SIG_IGN); // a closed standard output is an error of a write
    if (c->worker) {
        // GIMP stays usable, and if memory ends it is the worker that goes
        setpriority(PRIO_PROCESS, 0, 10);
    }
    return COMMAND_DONE;
}

/* ---- ends ---- */

static int fail(struct command *c, GError *error, const char *const *files)
{
    int code = COMMAND_FAILED;

    if (g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE)) {
        code = COMMAND_USAGE;
    } else if (g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        code = COMMAND_CANCELLED;
    }
    report_error(c->report, error->message, files);
    g_error_free(error);
    return code;
}

int command_fail(struct command *c, GError *error)
{
    return fail(c, error, NULL);
}

// what a cancelled run tells instead, since its pictures are no failure
static GError *count_kept(GError *error, int kept, int wanted)
{
    g_error_free(error);
    return g_error_new(SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                       kept == 1 ? "Cancelled; %d picture of %d was finished and is kept."
                                 : "Cancelled; %d pictures of %d were finished and are kept.",
                       kept, wanted);
}

int command_end_pictures(struct command *c, GPtrArray *written, int wanted, GError *error)
{
    const bool kept = written->len > 0;

    if (error != NULL && kept && error->code == SVDIFF_ERROR_CANCELLED) {
        error = count_kept(error, (int)written->len, wanted);
    }
    g_ptr_array_add(written, NULL);
    const char *const *files = (const char *const *)written->pdata;
    if (error == NULL) {
        report_files(c->report, files);
        return COMMAND_DONE;
    }
    return fail(c, error, files);
}

int command_end(struct command *c, int code)
{
    report_free(c->report);
    g_free(c->model);
    g_free(c->tokenizer);
    g_free(c->prediction);
    g_free(c->device);
    g_free(c->precision);
    g_free(c->seed_text);
    return code;
}

/* ---- progress ---- */

// a line on standard input, or its end, asks to stop
static bool input_says_stop(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char buffer[64];

    if (poll(&p, 1, 0) <= 0) {
        return false;
    }
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0) {
        return errno != EINTR && errno != EAGAIN;
    }
    return n == 0 || g_strstr_len(buffer, n, "cancel") != NULL ||
           g_strstr_len(buffer, n, "stop") != NULL;
}

bool command_progress(void *user, const struct progress *p)
{
    struct command *c = user;

    report_progress(c->report, p);
    if (c->worker && input_says_stop()) {
        interruption_ask(c->stop);
    }
    return !interruption_asked(c->stop);
}
