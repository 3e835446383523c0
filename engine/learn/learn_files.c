/* Names of files; see learn_files.h. */
#include "engine/learn/learn_files.h"

#include "engine/learn/methods/method.h"

char *learn_file_state(const char *output)
{
    return g_strconcat(output, ".resume", NULL);
}

char *learn_file_losses(const char *output)
{
    return g_strconcat(output, ".csv", NULL);
}

char *learn_file_sample(const char *output, int step)
{
    return g_strdup_printf("%s-%d.png", output, step);
}

char **learn_files(const struct svdiff_learn_options *o)
{
    GPtrArray *all = g_ptr_array_new();

    g_ptr_array_add(all, learn_file_state(o->output));
    g_ptr_array_add(all, learn_file_losses(o->output));
    // also step 0, the model before it learns
    for (int step = 0; o->sample_every > 0 && step <= o->steps; step += o->sample_every) {
        g_ptr_array_add(all, learn_file_sample(o->output, step));
    }
    if (method_of(o)->beside != NULL) {
        method_of(o)->beside(o, all);
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}
