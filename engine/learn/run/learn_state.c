/* What a run of learning leaves on disk: the subject file, and the checkpoint OUTPUT.resume.
 *
 * The checkpoint is a safetensors file of three arrays [count] (value, first and second moment),
 * the losses so far and the step, with a fingerprint of everything that the run depends on:
 * resuming another run is refused. Random numbers are functions of (seed, step), so nothing else
 * has to be kept, and a resumed run writes the same bytes as an uninterrupted one. A finished run
 * leaves it, too: with more steps it goes on from its last one. Only where the rate falls is that
 * another course than one run of all the steps, whose rate would have fallen later. */
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_run.h"

#include "engine/base/error.h"
#include "engine/base/safetensors.h"
#include "engine/base/safetensors_write.h"
#include "engine/learn/learn_files.h"
#include "engine/options/option.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/thumbnail.h"
#include "engine/tape/transfer.h"

#include <string.h>

static char *state_path(const struct lesson *l)
{
    return learn_file_state(l->options->output);
}

// the numbers and words of the options, and what they are learned on
static void add_options(const struct lesson *l, GChecksum *sum)
{
    const bool wide = l->session->options.precision == SVDIFF_PRECISION_BF16;
    g_autofree char *print = options_print(&options_of_learn, l->options, lesson_subjects(l) > 1);
    g_autofree char *text =
        g_strdup_printf("%s\n%s\n%s", l->session->hashes.base, wide ? "bf16" : "f32", print);

    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
}

// texts with their final zero, so that what one ends with is not what the next begins with
static void add_subjects(const struct lesson *l, GChecksum *sum)
{
    for (int i = 0; i < lesson_subjects(l); i++) {
        const struct lesson_subject *one = lesson_subject(l, i);
        g_autofree char *count = g_strdup_printf("%u", one->pictures->len);
        const char *const texts[] = {one->prompt, one->class_prompt, count};
        for (size_t j = 0; j < G_N_ELEMENTS(texts); j++) {
            g_checksum_update(sum, (const guchar *)texts[j], (gssize)strlen(texts[j]) + 1);
        }
    }
}

static void add_pictures(const struct lesson *l, const struct learn_pictures *pictures,
                         GChecksum *sum)
{
    for (guint i = 0; i < pictures->list->len; i++) {
        const struct learn_picture *p = learn_pictures_at(pictures, (int)i);
        const size_t count = (size_t)p->variants * l->pictures->h * l->pictures->w * l->pictures->c;
        g_checksum_update(sum, (const guchar *)p->mean, (gssize)(count * sizeof(float)));
        g_checksum_update(sum, (const guchar *)p->deviation, (gssize)(count * sizeof(float)));
        for (int j = 0; j < p->n_masks; j++) {
            g_checksum_update(sum, (const guchar *)p->masks[j].share,
                              (gssize)(count / l->pictures->c * sizeof(float)));
        }
    }
}

static void add_regions(const struct lesson *l, GChecksum *sum)
{
    for (int i = 0; i < lesson_subjects(l) && lesson_subjects(l) > 1; i++) {
        const struct lesson_subject *s = lesson_subject(l, i);
        if (s->region != NULL) {
            g_checksum_update(sum, (const guchar *)s->region,
                              (gssize)(sizeof(float) * l->pictures->h * l->pictures->w));
        }
    }
}

// everything that decides the course of a run but its length
static char *fingerprint(const struct lesson *l)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    add_options(l, sum);
    add_subjects(l, sum);
    add_pictures(l, l->pictures, sum);
    add_pictures(l, l->mixed->pictures, sum);
    add_regions(l, sum);
    return g_strdup(g_checksum_get_string(sum));
}

bool learn_save_state(const struct learn_run *r, GError **error)
{
    static const char *const names[] = {"value", "first_moment", "second_moment"};
    const struct parameters *p = r->learner->parameters;
    const real *const arrays[] = {p->value, p->m, p->v};
    struct safetensors_entry entries[5] = {
        [3] = {.name = "loss", .dtype = DTYPE_F32, .n_dims = 1, .shape = {r->losses->len}},
        [4] = {
            .name = "validation", .dtype = DTYPE_F32, .n_dims = 1, .shape = {r->validations->len}}};
    g_autofree float *values = g_new(float, p->count);
    g_autofree char *print = fingerprint(r->lesson), *path = state_path(r->lesson);
    g_autofree char *step = g_strdup_printf("%d", r->step);
    g_autofree char *planned = g_strdup_printf("%d", r->lesson->options->steps);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, r->lesson->options->seed);
    const char *const keys[] = {"fingerprint", "step", "steps", "seed", NULL};
    const char *const texts[] = {print, step, planned, seed, NULL};

    for (int i = 0; i < 3; i++) {
        entries[i] = (struct safetensors_entry){
            .name = names[i], .dtype = DTYPE_F32, .n_dims = 1, .shape = {p->count}};
    }
    // what the last step did is over, and was done
    if (!transfer_sync(p->k, error)) {
        return false;
    }
    struct safetensors_writer *w = safetensors_writer_create(path, entries, 5, keys, texts, error);
    bool done = w != NULL;
    for (int i = 0; i < 3 && done; i++) {
        parameters_download(p, arrays[i], values);
        done = safetensors_writer_put(w, names[i], values, error);
    }
    done = done && safetensors_writer_put(w, "loss", (const float *)r->losses->data, error) &&
           safetensors_writer_put(w, "validation", (const float *)r->validations->data, error) &&
           safetensors_writer_commit(w, error);
    safetensors_writer_close(w);
    return done;
}

static bool load_array(struct parameters *p, struct safetensors *file, const char *name,
                       real *array, GError **error)
{
    const struct safetensors_tensor *t = safetensors_find(file, name);
    g_autofree float *values = g_new(float, p->count);

    if (t == NULL || t->values != p->count) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The checkpoint %s does not hold the %" G_GINT64_FORMAT
                    " values of this run; delete it or leave out --resume.",
                    safetensors_path(file), p->count);
        return false;
    }
    if (!safetensors_read_f32(file, t, values, error)) {
        return false;
    }
    parameters_upload(p, array, values);
    return true;
}

static bool load_validations(struct learn_run *r, struct safetensors *file, GError **error)
{
    const struct safetensors_tensor *t = safetensors_find(file, "validation");

    if (t == NULL || t->values > r->step + 1) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The checkpoint %s does not hold the validation losses of its %d steps; delete "
                    "it or leave out --resume.",
                    safetensors_path(file), r->step);
        return false;
    }
    g_array_set_size(r->validations, (guint)t->values);
    return safetensors_read_f32(file, t, (float *)r->validations->data, error);
}

static bool load_losses(struct learn_run *r, struct safetensors *file, GError **error)
{
    const struct safetensors_tensor *t = safetensors_find(file, "loss");

    if (t == NULL || t->values != r->step) {
        g_set_error(
            error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
            "The checkpoint %s does not hold the losses of its %d steps; delete it or leave "
            "out --resume.",
            safetensors_path(file), r->step);
        return false;
    }
    g_array_set_size(r->losses, (guint)r->step);
    return safetensors_read_f32(file, t, (float *)r->losses->data, error) &&
           load_validations(r, file, error);
}

static bool check_step(const struct learn_run *r, const char *path, GError **error)
{
    if (r->step <= r->lesson->options->steps) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                "The checkpoint %s has %d steps already, more than --steps %d; ask for more steps.",
                path, r->step, r->lesson->options->steps);
    return false;
}

static bool read_count(struct safetensors *file, const char *key, guint64 *count)
{
    const char *text = safetensors_metadata(file, key);

    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, count, NULL);
}

// what was learned with a rate that falls to its end is not what a longer run has at this step
static void warn_of_schedule(const struct learn_run *r, struct safetensors *file)
{
    guint64 planned;

    if (r->lesson->options->schedule != SVDIFF_RATE_CONSTANT &&
        r->step - 1 > r->lesson->options->warm_up && read_count(file, "steps", &planned) &&
        planned != (guint64)r->lesson->options->steps) {
        session_warn(r->lesson->session,
                     "The rate of the first %d steps fell towards step %d and falls towards step "
                     "%d now; the subject will not be that of an uninterrupted run.",
                     r->step, (int)planned, r->lesson->options->steps);
    }
}

// whether the checkpoint is of this run; *step receives how many steps it has
static bool is_own(const struct learn_run *r, struct safetensors *file, guint64 *step)
{
    g_autofree char *print = fingerprint(r->lesson);

    return g_strcmp0(safetensors_metadata(file, "fingerprint"), print) == 0 &&
           read_count(file, "step", step);
}

static bool load_from(struct learn_run *r, struct safetensors *file, GError **error)
{
    struct parameters *p = r->learner->parameters;
    guint64 number = 0;

    if (!is_own(r, file, &number)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The checkpoint %s belongs to a run with other pictures, prompts or options; "
                    "repeat the same command, or delete the file to begin anew.",
                    safetensors_path(file));
        return false;
    }
    r->step = (int)number;
    if (!check_step(r, safetensors_path(file), error) ||
        !load_array(p, file, "value", p->value, error) ||
        !load_array(p, file, "first_moment", p->m, error) ||
        !load_array(p, file, "second_moment", p->v, error) || !load_losses(r, file, error)) {
        return false;
    }
    parameters_download(p, p->value, r->good);
    warn_of_schedule(r, file);
    if (r->step == r->lesson->options->steps) {
        session_warn(r->lesson->session,
                     "The checkpoint %s has all of the %d steps already; ask for more with --steps "
                     "to go on.",
                     safetensors_path(file), r->step);
    }
    r->good_step = r->step;
    r->loss = r->step > 0 ? g_array_index(r->losses, float, r->step - 1) : 0;
    return true;
}

// whether it is the checkpoint of this run, for --continue; where it is not, that is told
static bool goes_on(const struct learn_run *r, struct safetensors *file, const char *path)
{
    guint64 step;

    if (file != NULL && is_own(r, file, &step) && step <= (guint64)r->lesson->options->steps) {
        return true;
    }
    session_note(r->lesson->session,
                 "%s is of a run with other pictures, prompts or options; learning "
                 "begins anew.",
                 path);
    return false;
}

bool learn_load_state(struct learn_run *r, GError **error)
{
    g_autofree char *path = state_path(r->lesson);
    const bool own = r->lesson->options->resume_own;
    bool loaded;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!own) {
            session_warn(r->lesson->session,
                         "There is no checkpoint %s; learning begins with step 1.", path);
        }
        return true;
    }
    struct safetensors *file = safetensors_open(path, own ? NULL : error);
    if (own && !goes_on(r, file, path)) {
        loaded = true;
    } else {
        loaded = file != NULL && load_from(r, file, error);
    }
    safetensors_close(file);
    return loaded;
}

bool svdiff_learn_seed(const char *output, uint64_t *seed)
{
    g_autofree char *path = learn_file_state(output);
    struct safetensors *file =
        g_file_test(path, G_FILE_TEST_EXISTS) ? safetensors_open(path, NULL) : NULL;
    const char *text = file != NULL ? safetensors_metadata(file, "seed") : NULL;
    const bool found =
        text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, seed, NULL);

    safetensors_close(file);
    return found;
}

static void note(struct subject *s, const char *key, char *value)
{
    subject_set_metadata(s, key, value);
    g_free(value);
}

// prompts of several subjects are numbered from the second on: prompt, prompt.2, ...
static void note_prompts(const struct lesson *l, struct subject *s)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct svdiff_subject *one = &l->options->subjects[i];
        g_autofree char *suffix = i == 0 ? g_strdup("") : g_strdup_printf(".%d", i + 1);
        g_autofree char *prompt = g_strconcat("prompt", suffix, NULL);
        g_autofree char *class_prompt = g_strconcat("class_prompt", suffix, NULL);
        g_autofree char *placeholder = g_strconcat("placeholder", suffix, NULL);
        const struct lesson_subject *kept = lesson_subject(l, i);
        subject_set_metadata(s, prompt, one->prompt);
        subject_set_metadata(s, class_prompt, kept->class_prompt);
        if (kept->placeholder != NULL) {
            subject_set_metadata(s, placeholder, kept->placeholder);
        }
    }
}

static void note_options(const struct svdiff_learn_options *options, struct subject *s)
{
    for (size_t i = 0; i < options_of_learn.n; i++) {
        const struct option *o = &options_of_learn.rows[i];
        if (option_applies(o, options, OPTION_KEPT)) {
            g_autofree char *key = option_key(o);
            note(s, key, option_text(o, options));
        }
    }
}

bool learn_write_subject(const struct learn_run *r, const float *values, int steps, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    struct subject *s = subject_create();

    for (guint i = 0; i < r->learner->parameters->list->len; i++) {
        const struct parameter *p =
            &g_array_index(r->learner->parameters->list, struct parameter, i);
        subject_set_shift(s, p->name, values + p->offset, (int)p->count);
    }
    note_prompts(r->lesson, s);
    subject_set_metadata(s, THUMBNAIL_KEY, r->lesson->thumbnail);
    note(s, "base_hash", g_strdup(r->lesson->session->hashes.base));
    note(s, "steps", g_strdup_printf("%d", steps));
    note_options(o, s);
    const bool written = subject_write(s, o->output, error);
    subject_free(s);
    return written;
}
