/* Models with subjects in their weights, as folders and as single files. */
#include "engine/picture/picture.h"
#include "engine/subject/merge.h"
#include "tests/merge_fixture.h"
#include "tests/picture_fixture.h"

#include <unistd.h>

#define SUBJECT "sd1-subject-elementwise.safetensors"

/* ---- a picture without a subject from the merged model ---- */

static bool keep(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    picture **kept = user;

    g_assert_cmpint(index, ==, 0);
    g_assert_cmpuint(seed, ==, 7);
    *kept = picture_create(p->width, p->height, p->channels, error);
    memcpy((*kept)->pixels, p->pixels,
           (size_t)p->width * p->height * p->channels * sizeof *p->pixels);
    return true;
}

static picture *draw(svdiff *s, const struct svdiff_scaled_subject *subjects, int n)
{
    g_autoptr(GError) error = NULL;
    struct svdiff_generate_options o = svdiff_generate_defaults(s);
    picture *p = NULL;

    o.prompt = "a photo of a dog";
    o.negative = "";
    o.subjects = subjects;
    o.n_subjects = n;
    o.steps = 3;
    o.width = o.height = 64;
    o.seed = 7;
    g_assert_true(svdiff_generate(s, &o, keep, NULL, &p, &error));
    g_assert_no_error(error);
    return p;
}

static void same_picture(const char *subject, double scale)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = fixture_path(subject);
    const struct svdiff_scaled_subject wanted = {.file = file, .scale = scale};
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", subject, scale);
    g_autofree char *out = g_build_filename(f.folder, "merged", NULL);
    g_assert_true(merge_folder(&f.merge, out, &error));
    g_assert_no_error(error);
    g_autoptr(svdiff) merged = open_session(out, f.folder);
    g_autoptr(picture) with = draw(f.session, &wanted, 1), without = draw(f.session, NULL, 0);
    g_autoptr(picture) result = draw(merged, NULL, 0);
    g_assert_cmpfloat(picture_largest_difference(with, result), <, 1e-4);
    // and the subject does something
    g_assert_cmpfloat(picture_largest_difference(with, without), >, 1e-2);
    merge_fixture_close(&f);
}

static void test_picture_elementwise(void)
{
    same_picture(SUBJECT, 1);
}

static void test_picture_scalar(void)
{
    same_picture("sd1-subject-scalar.safetensors", 1.5);
}

/* ---- folder and single file agree ---- */

static void same_tensors(const char *a_path, const char *b_path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) a = checkpoint_open(a_path, &error);
    g_assert_no_error(error);
    g_autoptr(checkpoint) b = checkpoint_open(b_path, &error);
    g_assert_no_error(error);

    g_assert_cmpuint(checkpoint_count(a), ==, checkpoint_count(b));
    for (size_t i = 0; i < checkpoint_count(a); i++) {
        const struct model_tensor *t = checkpoint_at(a, i);
        const int64_t n = model_tensor_values(t);
        g_autofree float *x = g_new(float, n), *y = g_new(float, n);
        g_assert_cmpint(checkpoint_stored(a, i)->dtype, ==, checkpoint_stored(b, i)->dtype);
        g_assert_true(checkpoint_read_part(a, i, 0, n, x, &error));
        g_assert_true(checkpoint_read(b, t->component, t->name, t->shape, t->n_dims, y, &error));
        g_assert_cmpmem(x, (size_t)n * sizeof *x, y, (size_t)n * sizeof *y);
    }
}

// a subject for sd2, for which there is no fixture: a wave of shifts over all weights
static char *make_subject(const svdiff *s, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) subject = subject_create();
    const struct checkpoint *c = s->checkpoint;
    char *path = g_build_filename(folder, "subject.safetensors", NULL);

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        const int64_t columns = model_tensor_values(t) / t->shape[0];
        const int n = t->n_dims > 1 ? (int)MIN(t->shape[0], columns) : (int)t->shape[0];
        g_autofree float *values = g_new(float, n);
        g_autofree char *name = g_strconcat(t->module, ".delta", NULL);
        for (int k = 0; k < n; k++) {
            values[k] = (float)(0.1 * sin(3 * k + (double)i));
        }
        if (t->shifts) {
            subject_set_shift(subject, name, values, n);
        }
    }
    g_assert_true(subject_write(subject, path, &error));
    return path;
}

static char *output(const char *folder, const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* folder and checkpoint of one merged model, from a folder or from a single file */
static void both_agree(const char *model, const char *configs)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture_path(model), *config = fixture_path(configs);
    char *temporary = temporary_folder_create();
    g_autoptr(svdiff) s = open_session(path, temporary);
    g_autofree char *subject = make_subject(s, temporary);
    g_autofree char *folder = output(temporary, "out"),
                    *file = output(temporary, "out.safetensors");
    g_autofree char *file_config = output(temporary, "out.config");
    const struct svdiff_scaled_subject wanted = {.file = subject, .scale = 1};
    struct subject_list list;
    struct merge m;

    g_assert_true(subject_list_open(&list, s, &wanted, 1, false, &error));
    g_assert_true(merge_open(&m, s, list.items, 1, NULL, NULL, NULL, &error));
    g_assert_true(merge_folder(&m, folder, &error));
    g_assert_true(merge_checkpoint(&m, file, &error));
    g_assert_no_error(error);
    copy_tree(config, file_config);
    same_tensors(folder, file);
    same_tensors(file, folder);
    merge_close(&m);
    subject_list_close(&list);
    temporary_folder_remove(temporary);
}

static void test_sd1_folder(void)
{
    both_agree("sd1", "sd1.config");
}

static void test_sd1_single(void)
{
    both_agree("sd1.safetensors", "sd1.config");
}

static void test_sd2_folder(void)
{
    both_agree("sd2", "sd2.config");
}

static void test_sd2_single(void)
{
    both_agree("sd2.safetensors", "sd2.config");
}

/* ---- names, types, marks ---- */

// of a single file every tensor but the averages is there again, as it was stored
static void test_keeps_names(void)
{
    g_autoptr(GError) error = NULL;
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1.safetensors", SUBJECT, 1);
    g_autofree char *out = output(f.folder, "out.safetensors");
    g_assert_true(merge_checkpoint(&f.merge, out, &error));
    g_autoptr(safetensors) before =
        safetensors_open(checkpoint_path(f.session->checkpoint), &error);
    g_autoptr(safetensors) after = safetensors_open(out, &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < safetensors_count(before); i++) {
        const struct safetensors_tensor *a = safetensors_at(before, i);
        const struct safetensors_tensor *b = safetensors_find(after, a->name);
        if (a->dtype == DTYPE_OTHER || g_str_has_prefix(a->name, "model_ema.")) {
            g_assert_null(b);
            continue;
        }
        g_assert_nonnull(b);
        g_assert_cmpint(a->dtype, ==, b->dtype);
        g_assert_cmpint(a->n_dims, ==, b->n_dims);
        g_assert_cmpmem(a->shape, (size_t)a->n_dims * sizeof *a->shape, b->shape,
                        (size_t)b->n_dims * sizeof *b->shape);
    }
    merge_fixture_close(&f);
}

// a v-model without its config beside it says so by a tensor's name
static void test_v_mark(void)
{
    g_autoptr(GError) error = NULL;
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    g_autofree char *plain = output(f.folder, "e.safetensors"),
                    *v = output(f.folder, "v.safetensors");
    g_assert_true(merge_checkpoint(&f.merge, plain, &error));
    checkpoint_set_prediction(f.session->checkpoint, PREDICTION_V);
    g_assert_true(merge_checkpoint(&f.merge, v, &error));
    g_assert_no_error(error);
    g_autoptr(safetensors) a = safetensors_open(plain, &error), b = safetensors_open(v, &error);
    g_assert_no_error(error);
    g_assert_null(safetensors_find(a, "v_pred"));
    g_assert_nonnull(safetensors_find(b, "v_pred"));
    g_assert_cmpstr(safetensors_metadata(b, "modelspec.prediction_type"), ==, "v");
    merge_fixture_close(&f);
}

/* Copied: what is no weights of the three networks, through links. Left out: weights in other
 * formats, which would be without the subject, and hidden files. A name may end in a slash. */
static void test_copies_rest(void)
{
    static const char *const kept[] = {"README.md", "unet/config.json", "tokenizer/vocab.json",
                                       "checker/model.safetensors", "linked/config.json"};
    static const char *const left[] = {"whole.ckpt", "unet/diffusion_pytorch_model.fp16.bin",
                                       ".cache"};
    g_autoptr(GError) error = NULL;
    char *temporary = temporary_folder_create();
    g_autofree char *model = copy_fixture(temporary, "sd1");
    g_autofree char *checker = output(model, "checker"), *link = output(model, "linked");
    g_autofree char *out = output(temporary, "out/"), *file = fixture_path(SUBJECT);
    const struct svdiff_scaled_subject wanted = {.file = file, .scale = 1};
    struct subject_list list;
    struct merge m;

    g_assert_cmpint(g_mkdir(checker, 0700), ==, 0);
    g_assert_cmpint(symlink("unet", link), ==, 0);
    write_text(model, "README.md", "text");
    write_text(model, "checker/model.safetensors", "of another network");
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
        write_text(model, left[i], "old");
    }
    g_autoptr(svdiff) s = open_session(model, temporary);
    g_assert_true(subject_list_open(&list, s, &wanted, 1, false, &error));
    g_assert_true(merge_open(&m, s, list.items, 1, NULL, NULL, NULL, &error));
    g_assert_true(merge_folder(&m, out, &error));
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *path = output(out, kept[i]);
        g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autofree char *path = output(out, left[i]);
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    }
    merge_close(&m);
    subject_list_close(&list);
    temporary_folder_remove(temporary);
}

/* ---- what is not done ---- */

static bool stop_late(void *user, const struct progress *p)
{
    int *calls = user;

    return strcmp(p->phase, "write") != 0 || ++*calls < 300;
}

// cancelled, or no place: nothing is left behind
static void test_leaves_nothing(void)
{
    g_autoptr(GError) error = NULL;
    struct merge_fixture f;
    int calls = 0;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    const int before = temporary_folder_count(f.folder);
    g_autofree char *out = output(f.folder, "out"), *file = output(f.folder, "out.safetensors");
    f.merge.progress = stop_late;
    f.merge.user = &calls;
    g_assert_false(merge_folder(&f.merge, out, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_clear_error(&error);
    calls = 0;
    g_assert_false(merge_checkpoint(&f.merge, file, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_cmpint(temporary_folder_count(f.folder), ==, before);

    f.merge.progress = NULL;
    g_assert_false(merge_folder(&f.merge, f.folder, &error)); // not empty
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_clear_error(&error);
    g_autofree char *nowhere = output(f.folder, "no/such/place");
    g_assert_false(merge_folder_check(nowhere, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_true(merge_folder_check(out, &error));
    g_assert_cmpint(temporary_folder_count(f.folder), ==, before);
    merge_fixture_close(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/merge/picture-elementwise", test_picture_elementwise);
    g_test_add_func("/merge/picture-scalar", test_picture_scalar);
    g_test_add_func("/merge/sd1-folder", test_sd1_folder);
    g_test_add_func("/merge/sd1-single", test_sd1_single);
    g_test_add_func("/merge/sd2-folder", test_sd2_folder);
    g_test_add_func("/merge/sd2-single", test_sd2_single);
    g_test_add_func("/merge/keeps-names", test_keeps_names);
    g_test_add_func("/merge/v-mark", test_v_mark);
    g_test_add_func("/merge/copies-rest", test_copies_rest);
    g_test_add_func("/merge/leaves-nothing", test_leaves_nothing);
    return g_test_run();
}
