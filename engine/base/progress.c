/* How much time is left; see progress.h.
 *
 * Mean of the seconds t_i a step, i steps ago weighing 0.9^i:
 *   sum    <- 0.9^d sum + (1 - 0.9^d) t        after d steps of t seconds each
 *   weight <- 0.9^d weight + (1 - 0.9^d)
 *   mean    = sum / weight */
#include "engine/base/progress.h"

#include <math.h>

#define DECAY 0.9

static void add(struct progress_clock *clock, int step, double now)
{
    const int d = step - clock->step;
    const double keep = clock->intervals == 1 ? 0 : pow(DECAY, d);
    const double fresh = 1 - pow(DECAY, d);

    clock->sum = keep * clock->sum + fresh * (now - clock->time) / d;
    clock->weight = keep * clock->weight + fresh;
    clock->intervals++;
    clock->step = step;
    clock->time = now;
}

double progress_clock_left(struct progress_clock *clock, int step, int steps)
{
    return progress_clock_left_at(clock, step, steps, (double)g_get_monotonic_time() / 1e6);
}

double progress_clock_left_at(struct progress_clock *clock, int step, int steps, double now)
{
    double left;

    if (!clock->running || step < clock->step) {
        // work that begins again has another pace
        *clock = (struct progress_clock){.running = true, .step = step, .time = now};
    } else if (step > clock->step) {
        add(clock, step, now);
    }
    if (clock->weight <= 0) {
        return -1;
    }
    // of the step that is being made some time has gone
    left = (steps - step) * clock->sum / clock->weight - (now - clock->time);
    return left > 0 ? left : 0;
}
