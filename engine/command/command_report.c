/* What the command says; see command_report.h. */
#include "engine/command/command_report.h"

#include "engine/base/error.h"
#include "engine/command/report_line.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct report {
    enum report_style style;
    bool quiet;
    FILE *out, *err;
    int columns;        // 0: ask the terminal each time, it may be resized
    bool drawing;       // the bar stands on the last line of the terminal
    char *phase;        // of the last progress that was shown
    int step;           // and its step
    int64_t shown;      // and its time, microseconds
    GHashTable *warned; // the warnings that were told
};

/* ---- making and ending ---- */

struct report *report_create_on(FILE *out, FILE *err, enum report_style style, bool quiet,
                                int columns)
{
    struct report *r = g_new0(struct report, 1);

    *r = (struct report){
        .style = style, .quiet = quiet, .out = out, .err = err, .columns = columns, .step = -1};
    // sentences, owned
    r->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return r;
}

// a terminal that cannot go back in a line gets lines, as a file does
static enum report_style style_of_terminal(void)
{
    const char *term = g_getenv("TERM");

    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 ? REPORT_BAR : REPORT_LINES;
}

struct report *report_create(enum report_style style, bool quiet)
{
    return report_create_on(stdout, stderr, style == REPORT_AUTO ? style_of_terminal() : style,
                            quiet, 0);
}

// what was drawn stays; the next line begins below it
static void end_drawing(struct report *r)
{
    if (r->drawing) {
        fputc('\n', r->err);
        r->drawing = false;
    }
}

// streams belong to the process; they are only emptied
void report_free(struct report *r)
{
    if (r) {
        end_drawing(r);
        fflush(r->err);
        fflush(r->out);
        g_free(r->phase);
        g_hash_table_unref(r->warned);
        g_free(r);
    }
}

/* ---- lines for people ---- */

// names of files and texts of models may hold what a terminal obeys; kept: characters that stay
static char *without_controls(const char *text, const char *kept)
{
    char *clean = g_strdup(text);

    for (char *at = clean; *at; at++) {
        if (((unsigned char)*at < 0x20 || *at == 0x7f) && !strchr(kept, *at)) {
            *at = '?';
        }
    }
    return clean;
}

// one line on standard error; the bar makes room and is drawn again with the next progress
static void say(struct report *r, const char *before, const char *text)
{
    g_autofree char *line = without_controls(text, "");

    fprintf(r->err, "%s%s%s\n", r->drawing ? "\r\033[K" : "", before, line);
    fflush(r->err);
    r->drawing = false;
}

static int terminal_columns(const struct report *r)
{
    struct winsize size;

    // tests say how wide it is
    if (r->columns > 0) {
        return r->columns;
    }
    return ioctl(fileno(r->err), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* ---- JSON events ---- */

static void print_json(struct report *r, JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    // json-glib escapes controls and line ends, so a line is an object
    g_autofree char *line = json_to_string(node, FALSE);

    fprintf(r->out, "%s\n", line);
    fflush(r->out);
}

static JsonObject *make_event(const char *event)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "event", event);
    return object;
}

static void set_text(JsonObject *object, const char *name, const char *text)
{
    // JSON is UTF-8; names of files are any bytes
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    json_object_set_string_member(object, name, valid);
}

// what is not known is left out
static void set_number(JsonObject *object, const char *name, double value)
{
    if (value >= 0 && isfinite(value)) {
        json_object_set_double_member(object, name, value);
    }
}

static void print_warning(struct report *r, const char *sentence)
{
    g_autoptr(JsonObject) object = make_event("warning");

    set_text(object, "message", sentence);
    print_json(r, object);
}

static void print_progress(struct report *r, const struct progress *p)
{
    // words of the protocol, which the plug-in reads
    const char *const events[] = {[PROGRESS_STEP] = "progress",
                                  [PROGRESS_SAMPLE] = "sample",
                                  [PROGRESS_CHECKPOINT] = "checkpoint"};
    g_autoptr(JsonObject) object = make_event(events[p->event]);

    set_text(object, "phase", p->phase ? p->phase : "");
    json_object_set_int_member(object, "step", p->step);
    json_object_set_int_member(object, "steps", p->steps);
    set_number(object, "loss", p->loss);
    set_number(object, "seconds_left", p->seconds_left);
    if (p->file) {
        set_text(object, "file", p->file);
    }
    print_json(r, object);
}

/* ---- progress ---- */

// whether a step is to be shown: a new phase and the end always, else not too often
static bool is_due(const struct report *r, const struct progress *p, int64_t now)
{
    // microseconds between two steps that are shown
    const int64_t pause[] = {[REPORT_AUTO] = 10000000,
                             [REPORT_BAR] = 100000,
                             [REPORT_LINES] = 10000000,
                             [REPORT_JSON] = 500000};
    // a bar that stands still is drawn again, for its time; an object only for a new step
    const bool moved = p->step != r->step;
    const bool ended = p->steps > 0 && p->step >= p->steps;

    return g_strcmp0(p->phase, r->phase) != 0 || (moved && (ended || r->style == REPORT_JSON)) ||
           now - r->shown >= pause[r->style];
}

static void remember(struct report *r, const struct progress *p, int64_t now)
{
    if (g_strcmp0(p->phase, r->phase) != 0) {
        g_free(r->phase);
        r->phase = g_strdup(p->phase);
    }
    r->step = p->step;
    r->shown = now;
}

static void draw_bar(struct report *r, const struct progress *p)
{
    // the last column stays free: some terminals break the line there
    g_autofree char *line = report_line(p, MAX(1, terminal_columns(r) - 1));

    if (g_strcmp0(p->phase, r->phase) != 0) {
        end_drawing(r); // the phase before stays on its line
    }
    fprintf(r->err, "\r%s\033[K", line);
    fflush(r->err);
    r->drawing = true;
}

// on a terminal the line is drawn again, elsewhere there is one more
static void show_step(struct report *r, const struct progress *p)
{
    if (r->style == REPORT_JSON) {
        print_progress(r, p);
    } else if (r->style == REPORT_BAR) {
        draw_bar(r, p);
    } else {
        g_autofree char *line = report_line(p, 0);
        say(r, "", line);
    }
}

static void show_file(struct report *r, const struct progress *p)
{
    if (r->style == REPORT_JSON) {
        print_progress(r, p);
    } else {
        say(r, p->event == PROGRESS_SAMPLE ? "sample: " : "checkpoint: ", p->file ? p->file : "");
    }
}

void report_progress_at(struct report *r, const struct progress *p, int64_t now)
{
    if (r->quiet) {
        return;
    }
    // a file is told whenever it is written
    if (p->event != PROGRESS_STEP) {
        show_file(r, p);
    } else if (is_due(r, p, now)) {
        show_step(r, p);
        remember(r, p, now);
    }
}

void report_progress(struct report *r, const struct progress *p)
{
    report_progress_at(r, p, g_get_monotonic_time());
}

/* ---- sentences and results ---- */

// say takes one line: a note that holds line ends is still one
void report_note(struct report *r, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list list;

    if (r->quiet) {
        return;
    }
    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    say(r, "", text);
}

void report_warning(struct report *r, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list list;

    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    // the same may come up at every step
    if (g_hash_table_contains(r->warned, text)) {
        return;
    }
    say(r, "warning: ", text);
    if (r->style == REPORT_JSON) {
        print_warning(r, text);
    }
    g_hash_table_add(r->warned, g_steal_pointer(&text));
}

static void set_files(JsonObject *object, const char *const *files)
{
    JsonArray *all = json_array_new();

    for (; files != NULL && *files != NULL; files++) {
        g_autofree char *valid = g_utf8_make_valid(*files, -1);
        json_array_add_string_element(all, valid);
    }
    json_object_set_array_member(object, "files", all);
}

// how a run ended, with the files that stay; sentence: of the error, NULL: there was none
static void tell_end(struct report *r, const char *sentence, const char *const *files)
{
    const bool any = files != NULL && *files != NULL;

    end_drawing(r);
    for (int i = 0; any && files[i] != NULL && !r->quiet && r->style != REPORT_JSON; i++) {
        say(r, "wrote ", files[i]);
    }
    if (sentence != NULL) {
        say(r, "", sentence);
    }
    if (r->style != REPORT_JSON) {
        return;
    }
    g_autoptr(JsonObject) object = make_event(sentence != NULL ? "error" : "done");
    if (sentence != NULL) {
        set_text(object, "message", sentence);
    } else if (any) {
        set_text(object, "file", *files);
    }
    if (any || sentence == NULL) { // an error without files has no list of them
        set_files(object, files);
    }
    print_json(r, object);
}

void report_error(struct report *r, const char *sentence, const char *const *files)
{
    tell_end(r, sentence, files);
}

void report_files(struct report *r, const char *const *files)
{
    tell_end(r, NULL, files);
}

bool report_result(struct report *r, JsonObject *result, const char *text, GError **error)
{
    end_drawing(r);
    // fprintf need not set it
    errno = 0;
    if (text && r->style != REPORT_JSON) {
        g_autofree char *clean = without_controls(text, "\n\t");
        fprintf(r->out, "%s\n", clean);
        fflush(r->out);
    } else {
        print_json(r, result);
    }
    if (!ferror(r->out)) {
        return true;
    }
    return error_failed(error, "The result cannot be written to standard output: %s.",
                        g_strerror(errno));
}

/* ---- logs of libraries ---- */

static GLogWriterOutput keep_back(GLogLevelFlags level, const GLogField *fields, gsize n,
                                  gpointer data)
{
    // before the process ends it may say why
    if (level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR)) {
        return g_log_writer_default(level, fields, n, data);
    }
    return G_LOG_WRITER_HANDLED;
}

static void keep_text_back(const char *text)
{
}

void report_silence_logs(void)
{
    if (!g_getenv("G_MESSAGES_DEBUG")) {
        g_log_set_writer_func(keep_back, NULL, NULL);
        g_set_printerr_handler(keep_text_back);
    }
}
