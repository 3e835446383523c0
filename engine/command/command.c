/* What the commands share; see command.h. */
#include "engine/command/command.h"
#include "engine/base/error.h"
#include "engine/command/nearest_word.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- options ---- */

static bool take_opening(struct command *c, GError **error)
{
    const char *device = given_text(&c->opening, "device");

    if (device != NULL && g_str_has_prefix(device, "cuda:")) {
        ((char *)device)[strlen("cuda")] = '\0';
    }
    return given_apply(&c->opening, &c->session, error);
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

// the model that a command line names; NULL: the one that ships
static const char *find_model(char **argv)
{
    const char *model = NULL;

    for (; argv[0] != NULL; argv++) {
        if (g_str_has_prefix(argv[0], "--model=")) {
            model = argv[0] + strlen("--model=");
        } else if (strcmp(argv[0], "--model") == 0 && argv[1] != NULL) {
            model = argv[1];
        }
    }
    return model;
}

// what the help names: the defaults of the model that is used; g_free them
static void *help_defaults(const struct command_line *line, char **argv)
{
    const char *const *words = (const char *const *)argv;
    const bool asked = g_strv_contains(words, "--help") || g_strv_contains(words, "-h") ||
                       g_strv_contains(words, "-?");
    const struct svdiff_options o = {.model = find_model(argv)};

    if (!asked || line->defaults == NULL) {
        return NULL;
    }
    // without a model: Stable Diffusion's
    g_autoptr(svdiff) s = svdiff_open(&o, NULL);
    void *defaults = g_malloc0(line->table->size);
    line->defaults(s, defaults);
    return defaults;
}

// a command's own options, then those that it shares; g_free it
static GOptionEntry *join_entries(struct command *c, const struct command_line *line, char **argv)
{
    const GOptionEntry all_have[] = {
        {"quiet", 0, 0, G_OPTION_ARG_NONE, &c->quiet, "only warnings and errors", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &c->json, "progress as one JSON object a line", NULL},
        {"worker", 0, 0, G_OPTION_ARG_NONE, &c->worker,
         "obey lines on standard input (cancel, stop); its end cancels", NULL}};
    g_autofree void *defaults = help_defaults(line, argv);
    GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (const GOptionEntry *e = line->own; e != NULL && e->long_name != NULL; e++) {
        g_array_append_val(all, *e);
    }
    given_add_entries(&c->given, defaults, all, c->texts);
    if (line->opening != 0) {
        given_add_entries(&c->opening, NULL, all, c->texts);
    }
    g_array_append_vals(all, all_have, G_N_ELEMENTS(all_have));
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
        return error_usage(error, "'%s' is no option of this command; see --help.", argv[1]);
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
        return error_usage(error, "%s is empty; say what it is, or leave it out.", word[0]);
    }
    if (equals == NULL && e->arg != G_OPTION_ARG_NONE && word[1] != NULL &&
        find_entry(entries, word[1]) != NULL) {
        return error_usage(
            error, "%s has no value: %s is the next option; say what it is, or leave it out.",
            word[0], word[1]);
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

static void begin(struct command *c, const struct command_line *line)
{
    static const struct option_table none = {0};

    given_begin(&c->given, line->table != NULL ? line->table : &none, 0);
    given_begin(&c->opening, &options_of_session, line->opening);
    c->texts = g_ptr_array_new_with_free_func(g_free);
    c->seed = g_random_int();
    c->session.warn = warn;
    c->session.note = note;
    c->session.user = c;
}

// options that are fields of the command's own struct
static bool take_own(struct command *c, GError **error)
{
    options_set_standards(c->given.table, c);
    return given_apply(&c->given, c, error);
}

int command_begin(struct command *c, int *argc, char ***argv, const struct command_line *line,
                  void *data, char ***arguments)
{
    begin(c, line);
    g_autofree GOptionEntry *all = join_entries(c, line, *argv);
    g_autoptr(GOptionContext) context = make_context(all, line->usage, line->summary, data);
    g_autofree char *name = g_strdup_printf("svdiff %s", (*argv)[0]);
    GError *error = NULL;

    g_set_prgname(name); // what help calls it
    const bool parsed =
        check_values(*argv, all, &error) && g_option_context_parse(context, argc, argv, &error);
    error = error != NULL ? suggest(error, all) : NULL;

    c->report = report_create(c->json || c->worker ? REPORT_JSON : REPORT_AUTO, c->quiet);
    if (!parsed || !check_left(*argc, *argv, arguments, &error) || !take_opening(c, &error) ||
        (line->defaults == NULL && !take_own(c, &error))) {
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
    given_finish(&c->given);
    given_finish(&c->opening);
    g_ptr_array_unref(c->texts);
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
        interruption_ask(c->caller->stop);
    }
    return !interruption_asked(c->caller->stop);
}
