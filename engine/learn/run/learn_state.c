/* What a run of learning leaves on disk: the method's file, and the checkpoint OUTPUT.resume.
 *
 * The checkpoint is a safetensors file of three arrays [count] (value, first and second moment),
 * the losses so far, those of the prior and of the validation, and the step, with a fingerprint of
 * everything that the run depends on: resuming another run is refused. Random numbers are functions
 * of (seed, step), so nothing else has to be kept, and a resumed run writes the same bytes as an
 * uninterrupted one. A finished run leaves it, too: with more steps it goes on from its last one.
 * Only where the rate falls is that another course than one run of all the steps, whose rate would
 * have fallen later. */
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_run.h"

#include "engine/base/error.h"
#include "engine/base/file_stamp.h"
#include "engine/base/safetensors.h"
#include "engine/base/safetensors_write.h"
#include "engine/learn/learn_files.h"
#include "engine/learn/methods/method.h"
#include "engine/options/option.h"
#include "engine/tape/transfer.h"

#include <stdio.h>
#include <string.h>

/* ---- which run it is of ---- */

// the numbers and words of the options, and what they are learned on
static void add_options(const struct lesson *l, GChecksum *sum)
{
    // a run in another precision has other gradients
    g_autofree char *print = options_print(&options_of_learn, l->options, lesson_subjects(l) > 1);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s", l->session->hashes.base,
                                            session_precision(l->session), print);

    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
    // what the pictures become by it
    if (l->session->options.vae != NULL) {
        g_autoptr(GString) stamp = g_string_new("vae ");
        file_stamp(stamp, l->session->options.vae);
        g_checksum_update(sum, (const guchar *)stamp->str, (gssize)stamp->len);
    }
    if (l->on != NULL) {
        g_checksum_update(sum, (const guchar *)l->on, (gssize)strlen(l->on));
    }
    // what the vectors of new words begin as
    g_checksum_update(sum, (const guchar *)l->start->data,
                      (gssize)(l->start->len * sizeof(int32_t)));
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

static void add_floats(GChecksum *sum, const float *values, size_t count)
{
    g_checksum_update(sum, (const guchar *)values, (gssize)(count * sizeof *values));
}

/* What is learned of the pictures: their pixels and the masks on the latents' grid. Not what the
 * autoencoder makes of them, which differs in the last digits from device to device. */
static void add_pictures(const struct lesson *l, const struct learn_pictures *pictures,
                         GChecksum *sum)
{
    for (guint i = 0; i < pictures->list->len; i++) {
        const struct learn_picture *p = learn_pictures_at(pictures, (int)i);
        const size_t all = (size_t)p->variants * p->h * p->w;
        if (p->seen != NULL) {
            const char *seen = g_checksum_get_string(p->seen);
            g_checksum_update(sum, (const guchar *)seen, (gssize)strlen(seen));
        }
        for (int j = 0; j < p->n_masks; j++) {
            add_floats(sum, p->masks[j].share, all);
        }
        const char *caption = pictures == l->pictures ? l->captions->pdata[i] : NULL;
        if (caption != NULL) {
            g_checksum_update(sum, (const guchar *)caption, (gssize)strlen(caption) + 1);
        }
    }
}

static void add_regions(const struct lesson *l, GChecksum *sum)
{
    for (int i = 0; i < lesson_subjects(l) && lesson_subjects(l) > 1; i++) {
        const float *region = lesson_subject(l, i)->region;
        if (region != NULL) {
            add_floats(sum, region, (size_t)l->pictures->h * l->pictures->w);
        }
    }
}

char *learn_print(const struct lesson *l, bool pictures)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    add_options(l, sum);
    add_subjects(l, sum);
    if (pictures) {
        add_pictures(l, l->pictures, sum);
        add_pictures(l, l->mixed->pictures, sum);
        add_regions(l, sum);
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* ---- the checkpoint ---- */

// what it has of the parameters, [count] each
enum { ARRAYS = LEARN_ARRAYS };
static const char *const array_names[ARRAYS] = {"value", "first_moment", "second_moment"};

static real *array_of(const struct parameters *p, int i)
{
    real *const all[ARRAYS] = {p->value, p->m, p->v};

    return all[i];
}

static struct safetensors_entry list_entry(const char *name, int64_t count)
{
    return (struct safetensors_entry){
        .name = name, .dtype = DTYPE_F32, .n_dims = 1, .shape = {count}};
}

// the tensors that the writer was begun with, then the file gets its name
static bool put_state(const struct learn_run *r, bool good, struct safetensors_writer *w,
                      GError **error)
{
    const struct parameters *p = r->learner->parameters;
    g_autofree float *values = g_new(float, p->count);

    for (int i = 0; i < ARRAYS; i++) {
        if (!good) {
            parameters_download(p, array_of(p, i), values);
        }
        if (!safetensors_writer_put(w, array_names[i], good ? r->good[i] : values, error)) {
            return false;
        }
    }
    return safetensors_writer_put(w, "loss", (const float *)(void *)r->losses->data, error) &&
           safetensors_writer_put(w, "prior_loss", (const float *)(void *)r->prior_losses->data,
                                  error) &&
           safetensors_writer_put(w, "validation", (const float *)(void *)r->validations->data,
                                  error) &&
           safetensors_writer_commit(w, error);
}

/* "VALUE GOOD SKIPPED", whole numbers all, since a scale is a power of two; of a run without one an
 * older program wrote nothing, which is the same. */
static char *scale_text(const struct loss_scale *s)
{
    return g_strdup_printf("%.0f %d %d", s->value, s->good, s->skipped);
}

static bool load_scale(struct loss_scale *s, const struct safetensors *file, GError **error)
{
    const char *text = safetensors_metadata(file, "loss_scale");

    if (!s->follows ||
        (text != NULL && sscanf(text, "%lf %d %d", &s->value, &s->good, &s->skipped) == 3 &&
         s->value >= 1 && s->good >= 0 && s->skipped >= 0)) {
        return true;
    }
    return error_failed(
        error,
        "The checkpoint %s does not hold the scale of its loss; delete it or leave out --resume.",
        safetensors_path(file));
}

static const char *method_word(const struct svdiff_learn_options *o)
{
    return option_word(option_method(&options_of_learn), (int)o->method);
}

// good: of the last good step, which the host has; else of the device, as it is now
static bool save(const struct learn_run *r, bool good, GError **error)
{
    const struct parameters *p = r->learner->parameters;
    const struct svdiff_learn_options *o = r->lesson->options;
    const struct safetensors_entry entries[] = {list_entry(array_names[0], p->count),
                                                list_entry(array_names[1], p->count),
                                                list_entry(array_names[2], p->count),
                                                list_entry("loss", r->losses->len),
                                                list_entry("prior_loss", r->prior_losses->len),
                                                list_entry("validation", r->validations->len)};
    g_autofree char *print = learn_print(r->lesson, true), *path = learn_file_state(o->output);
    g_autofree char *step = g_strdup_printf("%d", r->step);
    g_autofree char *planned = g_strdup_printf("%d", o->steps);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, o->seed);
    g_autofree char *effort = option_text(option_find(&options_of_learn, "effort"), o);
    g_autofree char *scale = scale_text(&r->scale);
    // these are for those who look: --resume takes all but the first three, a warning the steps
    const char *const keys[] = {"fingerprint", "step",       "steps",  "seed", "precision",
                                "effort",      "loss_scale", "method", NULL};
    const char *const texts[] = {
        print,  step,  planned,        seed, session_precision(r->lesson->session),
        effort, scale, method_word(o), NULL};

    g_autoptr(safetensors_writer) w =
        safetensors_writer_create(path, entries, G_N_ELEMENTS(entries), keys, texts, error);
    return w != NULL && put_state(r, good, w, error);
}

bool learn_save_state(const struct learn_run *r, GError **error)
{
    // what the last step did is over, and was done
    return transfer_sync(r->learner->parameters->k, error) && save(r, false, error);
}

bool learn_save_good(struct learn_run *r, GError **error)
{
    // of a table with the host's memory there are no moments
    if (r->good[ARRAYS - 1] == NULL) {
        return true;
    }
    r->step = r->good_step;
    g_array_set_size(r->losses, (guint)r->step);
    g_array_set_size(r->prior_losses, (guint)r->step);
    g_array_set_size(r->validations, MIN(r->validations->len, (guint)r->step + 1));
    return save(r, true, error);
}

/* A list of from `least` to `most` values, into `to`; what: it is, for the sentence. */
static bool load_list(const struct safetensors *file, const char *name, int64_t least, int64_t most,
                      const char *what, GArray *to, GError **error)
{
    const struct safetensors_tensor *t = safetensors_find(file, name);

    if (t == NULL || t->values < least || t->values > most) {
        return error_failed(
            error, "The checkpoint %s does not hold the %s; delete it or leave out --resume.",
            safetensors_path(file), what);
    }
    g_array_set_size(to, (guint)t->values);
    return safetensors_read_f32(file, t, (float *)(void *)to->data, error);
}

static bool load_arrays(struct parameters *p, const struct safetensors *file, GError **error)
{
    g_autofree char *what = g_strdup_printf("%" G_GINT64_FORMAT " values of this run", p->count);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(float));

    for (int i = 0; i < ARRAYS; i++) {
        if (!load_list(file, array_names[i], p->count, p->count, what, values, error)) {
            return false;
        }
        // as floats, whatever the device computes in
        parameters_upload(p, array_of(p, i), (const float *)(void *)values->data);
    }
    return true;
}

// which an older program did not write: then none is known
static bool load_prior_losses(struct learn_run *r, const struct safetensors *file, const char *what,
                              GError **error)
{
    static const float none = -1;

    if (safetensors_find(file, "prior_loss") != NULL) {
        return load_list(file, "prior_loss", r->step, r->step, what, r->prior_losses, error);
    }
    for (int i = 0; i < r->step; i++) {
        g_array_append_val(r->prior_losses, none);
    }
    return true;
}

// a run that was not validated, or not after every step, has fewer validation losses
static bool load_losses(struct learn_run *r, const struct safetensors *file, GError **error)
{
    g_autofree char *losses = g_strdup_printf("losses of its %d steps", r->step);
    g_autofree char *prior = g_strconcat("prior ", losses, NULL);
    g_autofree char *validation = g_strconcat("validation ", losses, NULL);

    return load_list(file, "loss", r->step, r->step, losses, r->losses, error) &&
           load_prior_losses(r, file, prior, error) &&
           load_list(file, "validation", 0, r->step + 1, validation, r->validations, error);
}

static bool check_step(const struct learn_run *r, const char *path, GError **error)
{
    if (r->step <= r->lesson->options->steps) {
        return true;
    }
    return error_failed(
        error, "The checkpoint %s has %d steps already, more than --steps %d; ask for more steps.",
        path, r->step, r->lesson->options->steps);
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
    g_autofree char *print = learn_print(r->lesson, true);

    return g_strcmp0(safetensors_metadata(file, "fingerprint"), print) == 0 &&
           read_count(file, "step", step);
}

// what learns by one method has no place in another; a checkpoint that says none is svdiff's
static bool check_method(const struct learn_run *r, struct safetensors *file, GError **error)
{
    const char *said = safetensors_metadata(file, "method");
    const char *method = said != NULL ? said : option_method(&options_of_learn)->words[0];
    const char *own = method_word(r->lesson->options);

    return strcmp(method, own) == 0 ||
           error_failed(error,
                        "The checkpoint %s is of --method %s, not %s; repeat the same command, or "
                        "delete the file to begin anew.",
                        safetensors_path(file), method, own);
}

static bool load_from(struct learn_run *r, struct safetensors *file, GError **error)
{
    struct parameters *p = r->learner->parameters;
    guint64 number = 0;

    if (!check_method(r, file, error)) {
        return false;
    }
    if (!is_own(r, file, &number)) {
        return error_failed(
            error,
            "The checkpoint %s belongs to a run with other pictures, prompts or options; "
            "repeat the same command, or delete the file to begin anew.",
            safetensors_path(file));
    }
    // from here on the run is the checkpoint's; on failure it ends
    r->step = (int)number;
    if (!check_step(r, safetensors_path(file), error) || !load_arrays(p, file, error) ||
        !load_scale(&r->scale, file, error) || !load_losses(r, file, error)) {
        return false;
    }
    // its shifts are good: their losses were numbers
    for (int i = 0; i < ARRAYS; i++) {
        if (i == 0 || !p->k->host_memory) {
            r->good[i] = g_new(float, p->count);
            parameters_download(p, array_of(p, i), r->good[i]);
        }
    }
    warn_of_schedule(r, file);
    if (r->step == r->lesson->options->steps) {
        session_warn(r->lesson->session,
                     "The checkpoint %s has all of the %d steps already; ask for more with --steps "
                     "to go on.",
                     safetensors_path(file), r->step);
    }
    r->good_step = r->step;
    r->loss = r->step > 0 ? g_array_index(r->losses, float, r->step - 1) : -1;
    r->prior_loss = r->step > 0 ? g_array_index(r->prior_losses, float, r->step - 1) : -1;
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
    g_autofree char *path = learn_file_state(r->lesson->options->output);
    const bool own = r->lesson->options->resume_own;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!own) {
            session_warn(r->lesson->session,
                         "There is no checkpoint %s; learning begins with step 1.", path);
        }
        return true;
    }
    // --continue begins anew instead of failing
    g_autoptr(safetensors) file = safetensors_open(path, own ? NULL : error);
    if (own && !goes_on(r, file, path)) {
        return true;
    }
    return file != NULL && load_from(r, file, error);
}

bool svdiff_learn_kept(const char *output, uint64_t *seed, enum svdiff_precision *precision,
                       enum svdiff_effort *effort)
{
    g_autofree char *path = learn_file_state(output);
    g_autoptr(safetensors) file =
        g_file_test(path, G_FILE_TEST_EXISTS) ? safetensors_open(path, NULL) : NULL;
    const char *text = file != NULL ? safetensors_metadata(file, "seed") : NULL;
    const char *word = file != NULL ? safetensors_metadata(file, "precision") : NULL;
    const char *how = file != NULL ? safetensors_metadata(file, "effort") : NULL;
    double value = SVDIFF_EFFORT_NORMAL; // which runs were that do not say it

    // of older runs, which do not say it, f32 was what auto chose
    *precision = session_precision_named(word);
    if (how != NULL) {
        option_word_value(option_find(&options_of_learn, "effort"), how, &value);
    }
    *effort = (enum svdiff_effort)value;
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, seed, NULL);
}

/* ---- what was learned ---- */

bool learn_write_result(const struct learn_run *r, const float *values, int steps, GError **error)
{
    const struct method_result result = {
        .lesson = r->lesson, .learner = r->learner, .values = values, .steps = steps};

    return method_of(r->lesson->options)->write(&result, error);
}
