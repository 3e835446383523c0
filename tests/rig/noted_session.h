/* noted_session.h: the small model on a device that the rig plays, with the last note that it gave. */
#pragma once

#include "engine/session/session.h"

static char noted[512];

static inline void take_note(void *user, const char *sentence)
{
    g_strlcpy(noted, sentence, sizeof noted);
}

static inline svdiff *open_model_in(enum svdiff_device device, enum svdiff_precision precision)
{
    g_autofree char *model =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/models/sd1", NULL);
    const struct svdiff_options options = {
        .model = model, .device = device, .precision = precision, .threads = 1, .note = take_note};
    g_autoptr(GError) error = NULL;

    noted[0] = '\0';
    svdiff *s = svdiff_open(&options, &error);
    g_assert_no_error(error);
    return s;
}

static inline svdiff *open_model(enum svdiff_device device)
{
    return open_model_in(device, SVDIFF_PRECISION_AUTO);
}
