/* One job of a worker: handing it over, reading what the worker tells, cancelling; see job.h.
 *
 * Everything happens in the default main context, which this file turns until the worker's output
 * has ended, and, if the job did not come to its end, until the process has. */
#include "plugin/job.h"

#include "plugin/told.h"
#include "plugin/worker.h"
#include "plugin/words.h"

#include "engine/base/error.h"
#include "engine/options/choice_words.h"

#include <gio/gio.h>
#include <string.h>

#define TICK_MS      100
#define PATIENCE_US  700000 // from a cancel to the worker's end by force
#define SENTENCE_MAX 2000   // characters of a message that are shown

struct job {
    const struct call *call; // borrowed
    worker *worker;
    GDataInputStream *output;
    struct call_progress last; // phase is `phase`
    char *phase;
    char *sentence; // of the error event
    char **files;   // of the done event
    bool heard;     // anything
    bool can_stop, stopped;
    bool done, cancelled, output_ended;
    int64_t cancel_time; // microseconds
};

/* ---- cancelling and stopping ---- */

static void cancel(struct job *j)
{
    if (!j->cancelled) {
        j->cancelled = true;
        // the worker writes a checkpoint and leaves, in its own time up to PATIENCE_US
        j->cancel_time = g_get_monotonic_time();
        worker_cancel(j->worker);
    }
}

static void stop(struct job *j)
{
    if (j->can_stop && !j->stopped) {
        j->stopped = true;
        worker_stop(j->worker);
    }
}

static void tell(struct job *j)
{
    const enum call_wish wish =
        j->cancelled ? CALL_CANCEL : j->call->progress(j->call->user, &j->last);

    if (wish == CALL_CANCEL) {
        cancel(j);
    } else if (wish == CALL_STOP) {
        stop(j);
    }
    // told once: ticks repeat what else is known
    j->last.warning = j->last.picture = NULL;
}

static gboolean on_tick(struct job *j)
{
    // at every tick, so that a person's Cancel is heard while the worker says nothing
    if (!j->cancelled) {
        tell(j);
    } else if (!worker_is_gone(j->worker) &&
               g_get_monotonic_time() - j->cancel_time > PATIENCE_US) {
        worker_kill(j->worker);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- what the worker tells ---- */

static void take_progress(struct job *j, JsonObject *event)
{
    const char *phase = told_text(event, "phase");

    if (phase != NULL && g_strcmp0(phase, j->phase) != 0) {
        g_free(j->phase);
        j->phase = g_strdup(phase);
    }
    // picture points into the event, and is told before that is freed
    j->last = (struct call_progress){.phase = j->phase,
                                     .step = (int)told_number(event, "step", 0),
                                     .steps = (int)told_number(event, "steps", 0),
                                     .loss = told_number(event, "loss", -1),
                                     .seconds_left = told_number(event, "seconds_left", -1),
                                     .picture = told_text(event, "file")};
}

static void take_files(struct job *j, JsonObject *event)
{
    g_strfreev(j->files);
    j->files = told_texts(event, "files");
    j->done = true;
}

static void take_methods(struct call_estimate *e, JsonObject *o)
{
    static const char *const words[] = {LISTED(PLAIN_METHOD_WORDS)};

    G_STATIC_ASSERT(G_N_ELEMENTS(words) == CALL_METHODS);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *path = g_strconcat("methods.", words[i], NULL);
        e->files[i] = told_number(o, path, -1);
    }
}

// the one object that a worker tells of an estimate
static void take_estimate(struct job *j, JsonObject *o)
{
    struct call_estimate *e = j->call->estimate;
    JsonArray *marked = told_list(o, "marked");

    g_free(e->device);
    e->device = g_strdup(told_text(o, "device"));
    e->bytes = told_number(o, "bytes", -1);
    e->least_bytes = told_number(o, "least_bytes", -1);
    e->available = told_number(o, "available", -1);
    e->seconds = told_number(o, "seconds", -1);
    e->width = told_number(o, "width", -1);
    e->height = told_number(o, "height", -1);
    e->quick = told_number(o, "efforts.quick", -1);
    e->normal = told_number(o, "efforts.normal", -1);
    e->thorough = told_number(o, "efforts.thorough", -1);
    e->steps = told_number(o, "defaults.steps", -1);
    e->learning_rate = told_number(o, "defaults.learning_rate", -1);
    for (guint i = 0; marked != NULL && i < json_array_get_length(marked); i++) {
        const double share = json_node_get_double(json_array_get_element(marked, i));
        e->marked = e->marked != NULL ? e->marked : g_array_new(FALSE, FALSE, sizeof(double));
        g_array_append_val(e->marked, share);
    }
    take_methods(e, o);
    take_files(j, o); // none
}

static void take_event(struct job *j, JsonObject *event)
{
    const char *kind = told_text(event, "event");
    const char *message = told_text(event, "message");

    if (g_strcmp0(kind, "progress") == 0 || g_strcmp0(kind, "sample") == 0) {
        take_progress(j, event);
        tell(j);
    } else if (g_strcmp0(kind, "warning") == 0 && message != NULL) {
        j->last.warning = message;
        tell(j);
    } else if (g_strcmp0(kind, "error") == 0 && message != NULL) {
        // an option is an argument here, by the same name
        const char *text = g_str_has_prefix(message, "--") ? message + 2 : message; // "--size is"
        g_free(j->sentence);
        j->sentence = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), SENTENCE_MAX));
    } else if (g_strcmp0(kind, "done") == 0) {
        take_files(j, event);
    } else if (kind == NULL && j->call->estimate != NULL) {
        take_estimate(j, event);
    }
}

// a line that is no event is passed over: libraries may print
static void take_line(struct job *j, const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *event = told_object(parser, line);

    if (event != NULL) {
        take_event(j, event);
    }
}

static void read_line(struct job *j);

static void on_worker_line(GObject *source, GAsyncResult *result, void *data)
{
    struct job *j = data;
    g_autofree char *line =
        g_data_input_stream_read_line_finish_utf8(j->output, result, NULL, NULL);

    // the end, or bytes that are no UTF-8: no events follow
    if (line == NULL) {
        j->output_ended = true;
        return;
    }
    j->heard = true;
    take_line(j, line);
    read_line(j);
}

static void read_line(struct job *j)
{
    // one line at a time: the next is asked for when this one was taken
    g_data_input_stream_read_line_async(j->output, G_PRIORITY_DEFAULT, NULL, on_worker_line, j);
}

/* ---- starting ---- */

// the arguments as a JSON array in a file of the private folder
static char *write_arguments(GPtrArray *arguments, const scratch *folder, GError **error)
{
    g_autoptr(JsonArray) array = json_array_new();
    g_autofree char *path = scratch_file(folder, "arguments.json");

    for (guint i = 0; i < arguments->len; i++) {
        json_array_add_string_element(array, g_ptr_array_index(arguments, i));
    }
    g_autoptr(JsonNode) root = json_node_init_array(json_node_alloc(), array);
    g_autofree char *text = json_to_string(root, FALSE);
    return g_file_set_contents(path, text, -1, error) ? g_steal_pointer(&path) : NULL;
}

/* ---- the end ---- */

// the last line that the worker wrote for people; NULL if there is none
static char *last_message(const scratch *folder)
{
    g_autofree char *path = scratch_file(folder, "messages");
    g_autofree char *text = NULL;

    // a worker that was found waiting writes elsewhere
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    const char *line = told_last_line(text);
    return line[0] != '\0' ? g_utf8_make_valid(line, (gssize)MIN(strlen(line), SENTENCE_MAX))
                           : NULL;
}

static void set_failure(const struct job *j, const scratch *folder, GError **error)
{
    g_autofree char *message = last_message(folder);
    const int signal = worker_signal(j->worker);

    if (j->cancelled) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, _("Cancelled."));
        // the worker's own sentence is the best; a signal leaves none
    } else if (j->sentence != NULL) {
        g_set_error(error, SVDIFF_ERROR, j->stopped ? SVDIFF_ERROR_CANCELLED : SVDIFF_ERROR_FAILED,
                    "%s", j->sentence);
    } else if (signal != 0) {
        error_failed(error,
                     _("The worker was ended by signal %d (%s); if memory was short, close other "
                       "programs or choose a smaller size."),
                     signal, g_strsignal(signal));
    } else {
        error_failed(error, "%s",
                     message != NULL ? message : _("The worker ended without a word."));
    }
}

// whether the end of the output is the end of the job; a cancelled worker leaves, too
static bool is_over(const struct job *j)
{
    return j->done && (!j->cancelled || j->call->estimate != NULL);
}

// turns the main context until the job is done, or the worker is gone
static void wait_for_end(struct job *j)
{
    const guint tick = g_timeout_add(TICK_MS, G_SOURCE_FUNC(on_tick), j);

    read_line(j);
    while (!j->output_ended || (!is_over(j) && !worker_is_gone(j->worker))) {
        // in a dialog this is where its buttons are pressed
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(tick);
}

static bool run_once(struct job *j, const char *command, const char *arguments,
                     const scratch *folder, bool anew, GError **error)
{
    j->worker = worker_start(command, arguments, folder, anew, error);
    if (j->worker == NULL) {
        return false;
    }
    j->output_ended = false;
    j->output = g_data_input_stream_new(worker_output(j->worker));
    wait_for_end(j);
    g_clear_object(&j->output);
    return true;
}

// a worker that had waited and left before it said a word was leaving anyway: a new one is started
static bool is_lost(const struct job *j)
{
    return worker_had_stayed(j->worker) && !j->heard && !j->cancelled;
}

static bool run(struct job *j, const char *command, const char *arguments, const scratch *folder,
                GError **error)
{
    // a worker that waits with a model for generating is not taken from that
    const bool anew = j->call->estimate != NULL && j->can_stop;
    bool ran = run_once(j, command, arguments, folder, anew, error);

    if (ran && is_lost(j)) {
        g_clear_pointer(&j->worker, worker_free);
        ran = run_once(j, command, arguments, folder, true, error);
    }
    if (ran && (!j->done || j->cancelled)) {
        set_failure(j, folder, error);
    }
    return ran && j->done && !j->cancelled;
}

bool job_run(const char *command, GPtrArray *arguments, const scratch *folder, const struct call *c,
             char ***files, GError **error)
{
    struct job j = {.call = c,
                    // nothing else has a half that is of use
                    .can_stop = strcmp(command, "learn") == 0,
                    .phase = g_strdup("start"),
                    .last = {.phase = "start", .loss = -1, .seconds_left = -1}};

    if (c->estimate != NULL) {
        g_ptr_array_add(arguments, g_strdup("--estimate"));
    }
    g_autofree char *path = write_arguments(arguments, folder, error);
    const bool good = path != NULL && run(&j, command, path, folder, error);
    if (good && files != NULL) {
        // the caller's, g_strfreev
        *files = g_steal_pointer(&j.files);
    }
    worker_free(j.worker);
    g_strfreev(j.files);
    g_free(j.sentence);
    g_free(j.phase);
    return good;
}
