/* What the commands share; see command.h. */
#include "engine/command/command.h"
#include "engine/base/error.h"
#include "engine/command/nearest_word.h"
#include "engine/group/group.h"
#include "engine/session/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- options ---- */

// the numbers of "0,1,..", each once; 0 where they are none
static int read_devices(const char *list, int devices[COMMAND_DEVICES])
{
    g_auto(GStrv) words = g_strsplit(list, ",", -1);
    const int n = (int)g_strv_length(words);
    guint64 number;

    for (int i = 0; i < n; i++) {
        if (i == COMMAND_DEVICES ||
            !g_ascii_string_to_unsigned(words[i], 10, 0, 1023, &number, NULL)) {
            return 0;
        }
        devices[i] = (int)number;
        for (int j = 0; j < i; j++) {
            if (devices[j] == devices[i]) {
                return 0;
            }
        }
    }
    return n;
}

/* Which of several devices is not a choice of the table: what is left of "cuda:N" is one of its words. Processes
 * of mpirun have one each, those of a machine in turns. */
static bool take_device(struct command *c, const struct command_kind *kind, GError **error)
{
    char *device = (char *)given_text(&c->opening, "device");

    if (device == NULL || !g_str_has_prefix(device, "cuda:")) {
        return true;
    }
    const int n = read_devices(device + strlen("cuda:"), c->devices);
    if (n == 0) {
        return error_usage(error,
                           "--device is %s; what follows cuda: is a number from 0, or several, "
                           "each once, with commas between them.",
                           device);
    }
    const bool one = c->processes > 1;
    c->session.device_number = c->devices[one ? group_local_rank() % n : 0];
    c->session.more_devices = c->devices + 1;
    c->session.n_more_devices = one ? 0 : n - 1;
    if (c->session.n_more_devices > 0 && !kind->spreads) {
        return error_usage(error, "--device is %s; %s computes on one device.", device, kind->word);
    }
    device[strlen("cuda")] = '\0';
    return true;
}

static bool take_opening(struct command *c, const struct command_kind *kind, GError **error)
{
    return take_device(c, kind, error) && given_apply(&c->opening, &c->session, error);
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

    // GOption has not looked yet: help names the defaults of the model in the same words
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
static void *help_defaults(const struct command_kind *kind, char **argv)
{
    const char *const *words = (const char *const *)argv;
    const bool asked = g_strv_contains(words, "--help") || g_strv_contains(words, "-h") ||
                       g_strv_contains(words, "-?");
    const struct svdiff_options o = {.model = find_model(argv)};

    if (!asked || !kind->job) {
        return NULL;
    }
    // without a model: Stable Diffusion's
    g_autoptr(svdiff) s = svdiff_open(&o, NULL);
    void *defaults = g_malloc(kind->table->size);
    session_defaults(s, kind->table, defaults);
    return defaults;
}

// a command's own options, then those that it shares; g_free it
static GOptionEntry *join_entries(struct command *c, const struct command_kind *kind, char **argv)
{
    // behind those of the command, as the help lists them
    const GOptionEntry all_have[] = {
        {"quiet", 0, 0, G_OPTION_ARG_NONE, &c->quiet, "only warnings and errors", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &c->json, "progress as one JSON object a line", NULL},
        {"worker", 0, 0, G_OPTION_ARG_NONE, &c->worker,
         "obey lines on standard input (cancel, stop); its end cancels", NULL}};
    g_autofree void *defaults = help_defaults(kind, argv);
    // ends with an entry of zeros, as GOption wants it
    GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (const GOptionEntry *e = kind->own; e != NULL && e->long_name != NULL; e++) {
        g_array_append_val(all, *e);
    }
    given_add_entries(&c->given, defaults, all, c->texts);
    if (kind->opening != 0) {
        given_add_entries(&c->opening, NULL, all, c->texts);
    }
    g_array_append_vals(all, all_have, G_N_ELEMENTS(all_have));
    return (GOptionEntry *)(void *)g_array_free(all, FALSE);
}

// callbacks of the entries get the command's struct
static GOptionContext *make_context(struct command *c, const struct command_kind *kind,
                                    const GOptionEntry *entries)
{
    GOptionContext *context = g_option_context_new(kind->usage);
    GOptionGroup *group = g_option_group_new("", "", "", c, NULL);

    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, kind->summary);
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
    // the hyphens before it are none of the word
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

/* ---- a run ---- */

static void begin(struct command *c, const struct command_kind *kind, const struct caller *caller)
{
    static const struct option_table none = {0};

    c->caller = caller;
    c->rank = group_rank();
    c->processes = group_size();
    given_begin(&c->given, kind->table != NULL ? kind->table : &none, 0);
    given_begin(&c->opening, &options_of_session, kind->opening);
    c->texts = g_ptr_array_new_with_free_func(g_free);
    c->written = g_ptr_array_new_with_free_func(g_free);
    c->seed = g_random_int();
    // sentences of the engine go where the report's own go
    c->session.warn = warn;
    c->session.note = note;
    c->session.user = c;
    if (kind->begin != NULL) {
        kind->begin(c);
    }
}

// options that are fields of the command's own struct
static bool take_own(struct command *c, GError **error)
{
    options_set_standards(c->given.table, c);
    return given_apply(&c->given, c, error);
}

/* Reads the options and opens the report. What is left of argv are the words that no option has. */
static bool parse(struct command *c, const struct command_kind *kind, int *argc, char ***argv,
                  GError **error)
{
    g_autofree GOptionEntry *all = join_entries(c, kind, *argv);
    g_autoptr(GOptionContext) context = make_context(c, kind, all);
    g_autofree char *name = g_strdup_printf("svdiff %s", kind->word);
    GError *problem = NULL;

    g_set_prgname(name); // what help calls it
    const bool parsed =
        check_values(*argv, all, &problem) && g_option_context_parse(context, argc, argv, &problem);
    c->report =
        report_create(c->json || c->worker ? REPORT_JSON : REPORT_AUTO, c->quiet || c->rank > 0);
    if (!parsed) {
        g_propagate_error(error, usage_error(suggest(problem, all)));
        return false;
    }
    if (*argc > 1 && (kind->usage == NULL || kind->usage[0] == '\0')) {
        return error_usage(error, "'%s' is no option of this command; see --help.", (*argv)[1]);
    }
    return take_opening(c, kind, error) && (kind->job || take_own(c, error));
}

static bool run(struct command *c, const struct command_kind *kind, int argc, char **argv,
                GError **error)
{
    if (!parse(c, kind, &argc, &argv, error)) {
        return false;
    }
    if (c->processes > 1 && !kind->shares) {
        return error_usage(error,
                           "mpirun started %d processes, which only learn shares; leave it out.",
                           c->processes);
    }
    signal(SIGPIPE, SIG_IGN); // a closed standard output is an error of a write
    if (c->worker) {
        // GIMP stays usable, and if memory ends it is the worker that goes
        setpriority(PRIO_PROCESS, 0, 10);
    }
    return kind->run(c, argv + 1, error);
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

// an error of a library, which has another domain, is a failure as any other
static int exit_code(const GError *error)
{
    if (error == NULL) {
        return COMMAND_DONE;
    }
    if (g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE)) {
        return COMMAND_USAGE;
    }
    return error_is_cancel(error) ? COMMAND_CANCELLED : COMMAND_FAILED;
}

// what is there is told of a run that failed or was cancelled, too
static int tell_end(struct command *c, GError *error)
{
    const int code = exit_code(error), kept = (int)c->written->len;

    if (code == COMMAND_CANCELLED && kept > 0) {
        error = count_kept(error, kept, c->wanted);
    }
    // the report wants it NULL-terminated
    g_ptr_array_add(c->written, NULL);
    const char *const *files = (const char *const *)c->written->pdata;
    // of several processes the first tells what all of them have in common
    const bool told = c->told || (c->rank > 0 && code != COMMAND_FAILED);
    if (error != NULL && !told) {
        report_error(c->report, error->message, files);
    } else if (kept > 0) {
        report_files(c->report, files);
    }
    g_clear_error(&error);
    return code;
}

int command_run(const struct command_kind *kind, const struct caller *caller, int argc, char **argv)
{
    g_autofree struct command *c = g_malloc0(kind->size);
    GError *error = NULL;

    // from here on c has all that is given back below, however far the run comes
    begin(c, kind, caller);
    run(c, kind, argc, argv, &error);
    const int code = tell_end(c, error);
    if (kind->finish != NULL) {
        kind->finish(c);
    }
    report_free(c->report);
    given_finish(&c->given);
    given_finish(&c->opening);
    g_ptr_array_unref(c->texts);
    g_ptr_array_unref(c->written);
    return code;
}

void command_wrote(struct command *c, const char *path)
{
    g_ptr_array_add(c->written, g_strdup(path));
}

void command_tell_device(struct command *c, const svdiff *s)
{
    const bool chosen = c->session.precision == SVDIFF_PRECISION_AUTO &&
                        s->options.precision == SVDIFF_PRECISION_BF16;

    g_autofree char *devices = session_devices(s, 1 + s->options.n_more_devices);

    report_note(c->report, "device %s, precision %s%s", devices, session_precision(s),
                chosen ? ", which it has; --precision f32 is slower" : "");
}

/* ---- progress ---- */

// a line on standard input, or its end, asks to stop
static bool input_says_stop(void)
{
    // asked between two steps; nothing waits
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char buffer[64];

    if (poll(&p, 1, 0) <= 0) {
        return false;
    }
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    // a read that failed for good is as good as the end
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
