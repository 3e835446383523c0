/* How long several subjects are learned together; see svdiff.h. The plug-in shows it before a run.
 */
#include "engine/svdiff.h"

int svdiff_learn_steps(int one, int n)
{
    return (int)MIN((int64_t)one * (n + 1) / 2, G_MAXINT);
}
