/* Dry sessions; see dry_session.h. */
#include "engine/session/dry_session.h"

// of the largest weight: its copies on the host while it is read or decomposed
#define COPIES 2

svdiff dry_session(const svdiff *s)
{
    svdiff dry = *s;

    dry.dry = true;
    dry.k = kernels_count(s->k);
    dry.hashes = (struct model_hashes){0};
    // networks of zeros must not be taken for the true ones
    dry.keeps = false;
    dry.kept = (struct session_networks){0};
    // the true run will say it again
    dry.options.warn = dry.options.note = NULL;
    return dry;
}

void dry_session_finish(svdiff *dry)
{
    kernels_destroy(dry->k);
}

uint64_t dry_session_host_bytes(const svdiff *s)
{
    int64_t largest = 0;

    for (size_t i = 0; i < checkpoint_count(s->checkpoint); i++) {
        largest = MAX(largest, model_tensor_values(checkpoint_at(s->checkpoint, i)));
    }
    return DRY_SESSION_PROGRAM + COPIES * (uint64_t)largest * sizeof(float);
}
