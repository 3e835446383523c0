/* What a loss is multiplied by; see loss_scale.h. */
#include "engine/learn/run/loss_scale.h"

// as torch.amp.GradScaler begins; and where a gradient without a scale would overflow, too
#define FIRST 65536.0
#define LEAST 1.0

struct loss_scale loss_scale_begin(enum kernels_type cells)
{
    const bool follows = cells == KERNELS_F16;

    return (struct loss_scale){.value = follows ? FIRST : 1, .follows = follows};
}

void loss_scale_took(struct loss_scale *s)
{
    if (s->follows && ++s->good == LOSS_SCALE_GROWS) {
        s->value *= 2;
        s->good = 0;
    }
}

bool loss_scale_skips(struct loss_scale *s)
{
    if (!s->follows || s->value <= LEAST) {
        return false;
    }
    s->value /= 2;
    s->good = 0;
    s->skipped++;
    return true;
}
