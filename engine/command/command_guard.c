/* What the commands tell an output guard of what they read: the model, subjects. */
#include "engine/command/command.h"

#include "engine/session/session.h"
#include "engine/subject/subject_file.h"

#include <string.h>

// those of the names that are there
static void reads_in(output_guard *g, const char *folder, const char *const *names)
{
    for (; *names != NULL; names++) {
        g_autofree char *path = g_build_filename(folder, *names, NULL);
        output_guard_reads(g, path);
    }
}

/* A folder of a model may hold other things, such as pictures that were made with it. */
static void reads_model(output_guard *g, const svdiff *s)
{
    static const char *const parts[] = {
        "model_index.json", "svdiff.json", "unet", "text_encoder", "vae", "scheduler", NULL};
    static const char *const words[] = {"vocab.json",
                                        "merges.txt",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        NULL};
    const struct checkpoint *c = s->checkpoint;

    // a single file may have its configs beside it, and a tokenizer from anywhere
    if (checkpoint_is_single(c)) {
        output_guard_reads(g, checkpoint_path(c));
    }
    if (s->options.vae != NULL) {
        static const char *const files[] = {"vae", "config.json", NULL};
        output_guard_reads(g, s->options.vae);
        reads_in(g, s->options.vae, files);
    }
    reads_in(g, checkpoint_config_folder(c), parts);
    reads_in(g, s->vocabulary.folder, words);
}

output_guard *command_guard(const svdiff *s)
{
    // of a model that is not open yet nothing is known
    output_guard *g = output_guard_create();

    if (s != NULL) {
        reads_model(g, s);
    }
    return g;
}

void command_guard_subject(output_guard *g, const char *file)
{
    static const char *const pair[] = {SUBJECT_FILE_UNET, SUBJECT_FILE_TEXT, NULL};

    if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
        reads_in(g, file, pair);
    } else {
        output_guard_reads(g, file);
    }
}
