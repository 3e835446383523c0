/* merge_fixture.h: a fixture model opened with a fixture subject, for tests that write models. */
#pragma once

#include "engine/subject/merge.h"
#include "engine/subject/subject_list.h"
#include "tests/edited_model.h"

struct merge_fixture {
    char *folder; // temporary: spectra and outputs
    svdiff *session;
    struct subject_list subjects;
    struct merge merge;
};

static inline svdiff *open_session(const char *model, const char *cache)
{
    g_autoptr(GError) error = NULL;
    const struct svdiff_options options = {.model = model, .cache = cache, .threads = 1};
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    return s;
}

static inline void merge_fixture_open(struct merge_fixture *f, const char *model,
                                      const char *subject, double scale)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture_path(model), *file = fixture_path(subject);
    const struct svdiff_scaled_subject wanted = {.file = file, .scale = scale};

    *f = (struct merge_fixture){.folder = temporary_folder_create()};
    f->session = open_session(path, f->folder);
    g_assert_true(subject_list_open(&f->subjects, f->session, &wanted, 1, false, &error));
    g_assert_true(merge_open(&f->merge, f->session, f->subjects.items, f->subjects.n, NULL, NULL,
                             NULL, &error));
    g_assert_no_error(error);
}

static inline void merge_fixture_close(struct merge_fixture *f)
{
    merge_close(&f->merge);
    subject_list_close(&f->subjects);
    svdiff_close(f->session);
    temporary_folder_remove(f->folder);
}
