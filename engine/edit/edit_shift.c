/* Learning one picture with its plain description and keeping what was learned; see edit_shift.h.
 * There is no prior: nothing but this picture is to be known. Two thirds of the steps see it as it
 * is, a sixth each in the left and in the right half of the square, "on the left", so that its
 * subject can be drawn beside another; a description that says where it is leaves it there. */
#include "engine/edit/edit_shift.h"

#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/learn/estimate.h"
#include "engine/learn/learn_files.h"
#include "engine/text/wording.h"
#include "engine/options/option.h"
#include "engine/picture/picture.h"
#include "engine/subject/subject_list.h"

#include <glib/gstdio.h>
#include <unistd.h>

// how the picture is learned, but for its views
static struct svdiff_learn_options learn_options(const svdiff *s,
                                                 const struct svdiff_edit_options *o)
{
    struct svdiff_learn_options learn = svdiff_learn_defaults(s);

    learn.steps = o->learn_steps;
    learn.rate = o->rate;
    learn.rate_1d = o->rate_1d;
    // one picture is soon known; at the end a full rate would only throw the shifts about
    learn.schedule = SVDIFF_RATE_COSINE;
    learn.prior_weight = 0;
    learn.prior_images = 0;
    learn.prior_every = 1;
    learn.cut_mix = 0;
    learn.apart_pictures = 0;
    // a mirrored picture is not this picture
    learn.flip = false;
    learn.find_subject = true;
    return learn;
}

// SHA-256 over all that what is learned depends on
static char *fingerprint(svdiff *s, const struct svdiff_edit_options *o, GError **error)
{
    const struct model_hashes *base = session_hashes(s, MODEL_HASH_BASE, NULL, NULL, error);
    const struct svdiff_learn_options learn = learn_options(s, o);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *data = NULL;
    gsize size;

    // picture_read says better what is wrong with a file
    g_autoptr(picture) p = base != NULL ? picture_read(o->image, 8, error) : NULL;
    if (p == NULL) {
        return NULL;
    }
    // its bytes, so that a picture that was changed is learned anew
    if (!g_file_get_contents(o->image, &data, &size, error)) {
        return NULL;
    }
    g_autofree char *print = options_print(&options_of_learn, &learn, false);
    g_autofree char *options =
        g_strdup_printf("%s|%s|%d|halves|found|%s", base->base, o->prompt, learn.steps, print);
    g_checksum_update(sum, (const guchar *)data, (gssize)size);
    g_checksum_update(sum, (const guchar *)options, -1);
    return g_strdup(g_checksum_get_string(sum));
}

bool edit_shift_named(const struct svdiff_edit_options *o)
{
    if (o->shift == NULL || !g_file_test(o->shift, G_FILE_TEST_IS_DIR)) {
        return o->shift != NULL;
    }
    // svdiff-pytorch's subjects are folders
    g_autofree char *subject = g_build_filename(o->shift, SUBJECT_FILE_UNET, NULL);
    return g_file_test(subject, G_FILE_TEST_EXISTS);
}

char *svdiff_edit_shift(svdiff *s, const struct svdiff_edit_options *o, GError **error)
{
    if (edit_shift_named(o)) {
        return g_strdup(o->shift);
    }
    g_autofree char *hash = fingerprint(s, o, error);
    if (hash == NULL) {
        return NULL;
    }
    g_autofree char *folder = o->shift != NULL ? g_strdup(o->shift) : g_path_get_dirname(o->image);
    g_autofree char *picture_name = g_path_get_basename(o->image);
    g_autofree char *name = g_strdup_printf("%s.%.12s.svdiff.safetensors", picture_name, hash);
    g_autofree char *there =
        g_strcmp0(folder, ".") == 0 ? g_strdup(name) : g_build_filename(folder, name, NULL);
    // what is kept is used from where nothing could be written, too
    if (g_file_test(there, G_FILE_TEST_EXISTS) || g_access(folder, W_OK) == 0) {
        return g_steal_pointer(&there);
    }
    g_autofree char *own = g_build_filename(g_get_user_data_dir(), "svdiff", "edits", NULL);
    g_mkdir_with_parents(own, 0700);
    return g_build_filename(own, name, NULL);
}

// each view is drawn as often; all but two are the picture as it is
enum { ON_LEFT = 2, ON_RIGHT = 5, VIEWS };

// the picture as what is learned from
struct views {
    const char *images[2];
    struct layout_box boxes[2];
    char *left, *right; // prompts
    struct svdiff_subject subjects[VIEWS];
};

static void views_init(struct views *v, const struct svdiff_edit_options *o)
{
    *v = (struct views){.images = {o->image},
                        .boxes = {layout_place_box(PLACE_LEFT), layout_place_box(PLACE_RIGHT)},
                        .left = wording_at(o->prompt, PLACE_LEFT),
                        .right = wording_at(o->prompt, PLACE_RIGHT)};
    for (int i = 0; i < VIEWS; i++) {
        const char *prompt = i == ON_LEFT ? v->left : i == ON_RIGHT ? v->right : o->prompt;
        // without a prior the class is nothing of its own
        v->subjects[i] =
            (struct svdiff_subject){.prompt = prompt, .class_prompt = prompt, .images = v->images};
    }
    v->subjects[ON_LEFT].box = &v->boxes[0];
    v->subjects[ON_RIGHT].box = &v->boxes[1];
}

static void views_finish(struct views *v)
{
    g_free(v->left);
    g_free(v->right);
}

// all that learning is asked for; borrows the views
static struct svdiff_learn_options
lesson_options(const svdiff *s, const struct svdiff_edit_options *o, const struct views *v)
{
    struct svdiff_learn_options learn = learn_options(s, o);

    learn.subjects = v->subjects;
    learn.n_subjects = wording_has_place(o->prompt) ? 1 : VIEWS;
    return learn;
}

bool edit_shift_least(svdiff *s, const struct svdiff_edit_options *o, uint64_t *bytes,
                      GError **error)
{
    struct views v;

    views_init(&v, o);
    struct svdiff_learn_options learn = lesson_options(s, o, &v);
    learn.output = "edit"; // any: nothing is written
    const bool done = estimate_least(s, &learn, bytes, error);
    views_finish(&v);
    return done;
}

static bool learn_to(svdiff *s, const struct svdiff_edit_options *o, const char *file,
                     progress_function progress, void *user, GError **error)
{
    struct views v;

    views_init(&v, o);
    struct svdiff_learn_options learn = lesson_options(s, o, &v);
    learn.output = file;
    s->within = true;
    const bool done = svdiff_learn(s, &learn, progress, user, error);
    s->within = false;
    views_finish(&v);
    return done;
}

// what learning writes beside its file
static void remove_rests(const char *file)
{
    g_autofree char *losses = learn_file_losses(file), *state = learn_file_state(file);

    g_unlink(file);
    g_unlink(losses);
    g_unlink(state);
}

char *edit_shift_part(const char *file)
{
    return g_strconcat(file, ".part", NULL);
}

// whether what is kept there is whole, and of this model
static bool fits(svdiff *s, const char *file, bool force, GError **error)
{
    const struct svdiff_scaled_subject kept = {.file = file, .scale = 1};
    struct subject_list list;
    const bool good = subject_list_open(&list, s, &kept, 1, force, error);

    subject_list_close(&list);
    return good;
}

// false with an error: somebody named the file, and it shall not be written over
static bool look_at_kept(svdiff *s, const struct svdiff_edit_options *o, const char *file,
                         bool *kept, GError **error)
{
    g_autoptr(GError) problem = NULL;

    *kept = g_file_test(file, G_FILE_TEST_EXISTS) && fits(s, file, o->force, &problem);
    if (problem != NULL && edit_shift_named(o)) {
        g_set_error(error, problem->domain, problem->code,
                    "%s To learn the picture anew, name another file with --shift.",
                    problem->message);
        return false;
    }
    if (problem != NULL) {
        session_note(s, "%s cannot be used any more; the picture is learned anew.", file);
    }
    return true;
}

char *edit_shift_find(svdiff *s, const struct svdiff_edit_options *o, bool *kept, GError **error)
{
    g_autofree char *file = svdiff_edit_shift(s, o, error);

    if (file == NULL || !look_at_kept(s, o, file, kept, error)) {
        return NULL;
    }
    if (!*kept) {
        session_drop_networks(s); // learning wants their memory
    }
    return g_steal_pointer(&file);
}

bool edit_shift_learn(svdiff *s, const struct svdiff_edit_options *o, const char *file,
                      progress_function progress, void *user, GError **error)
{
    // learned beside its place, and renamed when it is whole
    g_autofree char *part = edit_shift_part(file);

    if (!output_check(part, error)) {
        return false;
    }
    const bool done =
        learn_to(s, o, part, progress, user, error) &&
        (g_rename(part, file) == 0 ||
         error_failed(error, "%s: what was learned cannot be kept there; name a file with --shift.",
                      file));
    remove_rests(part);
    if (done) {
        session_note(s, "What was learned of the picture is kept in %s.", file);
    }
    return done;
}
