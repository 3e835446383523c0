/* Which tokenizer a model is read with; see tokenizer_place.h. */
#include "engine/model/tokenizer_place.h"

#include "engine/base/error.h"
#include "engine/model/default_model.h"

// of OpenAI's vocabulary, which SD 1.x and 2.x share
#define CLIP_TOKENS 49408

static bool is_there(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

// the folder itself, or the one in it where a whole model was named
static char *named_folder(const char *named)
{
    const bool whole = is_there(named, "model_index.json") && is_there(named, "tokenizer");

    return whole ? g_build_filename(named, "tokenizer", NULL) : g_strdup(named);
}

/* The vocabulary that ships, where ids of it are within the model's table. Fewer tokens: ids would
 * lie outside of it, so that it is refused. */
static char *shipped_for(const struct checkpoint *model, GError **error)
{
    const int tokens = checkpoint_text_config(model)->vocabulary;

    if (tokens >= CLIP_TOKENS) {
        return shipped_vocabulary(error);
    }
    error_failed(error,
                 "%s: the model has no tokenizer, and with %d tokens CLIP's, which ships, is not "
                 "its; put the folder `tokenizer` of a diffusers copy of the model into %s, or "
                 "name it with --tokenizer.",
                 checkpoint_path(model), tokens, checkpoint_config_folder(model));
    return NULL;
}

bool tokenizer_place_find(const struct checkpoint *model, const char *named,
                          struct tokenizer_place *place, GError **error)
{
    const char *own = checkpoint_tokenizer(model);

    *place = (struct tokenizer_place){
        // SD 1 pads with the end of a text, SD 2 with token 0, "!"
        .pad = checkpoint_text_config(model)->quick_gelu ? "<|endoftext|>" : "!",
        // files of the model's own say which pad they have
        .pad_counts = named != NULL || own == NULL,
        .folder = named != NULL ? named_folder(named)
                  : own != NULL ? g_strdup(own)
                                : shipped_for(model, error),
    };
    return place->folder != NULL;
}
