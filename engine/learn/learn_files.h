/* learn_files.h: what learning writes beside its subject file. */
#pragma once

#include "engine/svdiff.h"

/* OUTPUT.resume, the checkpoint; OUTPUT.csv, the losses; OUTPUT-STEP.png, a sample. Owned by the
 * caller. */
char *learn_file_state(const char *output);
char *learn_file_losses(const char *output);
char *learn_file_sample(const char *output, int step);

/* All that a run with these options may write beside its output: of samples those of each step
 * that is asked for. g_strfreev it. */
char **learn_files(const struct svdiff_learn_options *o);
