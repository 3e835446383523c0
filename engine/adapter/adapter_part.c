/* Endings of names in adapter files; see adapter_part.h. */
#include "engine/adapter/adapter_part.h"

#include <string.h>

// without ".weight", which some programs put behind and others do not
static const struct {
    const char *ending;
    enum adapter_part part;
} endings[] = {
    {".lora_down", ADAPTER_DOWN},
    {".lora_up", ADAPTER_UP},
    {".lora_mid", ADAPTER_MID},
    {".lora_A", ADAPTER_DOWN},
    {".lora_B", ADAPTER_UP},
    {".lora_B.bias", ADAPTER_BIAS},
    {".lora.down", ADAPTER_DOWN},
    {".lora.up", ADAPTER_UP},
    {".lora_linear_layer.down", ADAPTER_DOWN},
    {".lora_linear_layer.up", ADAPTER_UP},
    {"_lora.down", ADAPTER_DOWN},
    {"_lora.up", ADAPTER_UP},
    {".hada_w1_a", ADAPTER_HADA_W1_A},
    {".hada_w1_b", ADAPTER_HADA_W1_B},
    {".hada_w2_a", ADAPTER_HADA_W2_A},
    {".hada_w2_b", ADAPTER_HADA_W2_B},
    {".hada_t1", ADAPTER_HADA_T1},
    {".hada_t2", ADAPTER_HADA_T2},
    {".lokr_w1", ADAPTER_LOKR_W1},
    {".lokr_w1_a", ADAPTER_LOKR_W1_A},
    {".lokr_w1_b", ADAPTER_LOKR_W1_B},
    {".lokr_w2", ADAPTER_LOKR_W2},
    {".lokr_w2_a", ADAPTER_LOKR_W2_A},
    {".lokr_w2_b", ADAPTER_LOKR_W2_B},
    {".lokr_t2", ADAPTER_LOKR_T2},
    {".oft_blocks", ADAPTER_OFT},
    {".oft_R", ADAPTER_OFT_PEFT},
    {".rescale", ADAPTER_RESCALE},
    {".lora_magnitude_vector", ADAPTER_MAGNITUDE},
    {".dora_scale", ADAPTER_DORA},
    {".diff", ADAPTER_DIFF},
    {".diff_b", ADAPTER_DIFF_BIAS},
    {".w_norm", ADAPTER_DIFF},
    {".b_norm", ADAPTER_DIFF_BIAS},
    {"_custom_diffusion", ADAPTER_WHOLE},
    {".alpha", ADAPTER_ALPHA},
    {".lora.alpha", ADAPTER_ALPHA},
    {"_lora.alpha", ADAPTER_ALPHA},
};

// PEFT's state of a model that runs has the adapter's name in its keys: "lora_A.default"
static char *without_names(const char *name)
{
    static const char *const named[] = {".lora_A.", ".lora_B.", ".lora_magnitude_vector."};
    char *plain = g_strdup(name);

    for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
        char *at = g_strrstr(plain, named[i]);
        char *rest = at != NULL ? at + strlen(named[i]) : NULL;
        // a single word behind the point; "bias" is a part's own
        const bool one = rest != NULL && strchr(rest, '.') == NULL && strcmp(rest, "bias") != 0;
        if (one && rest[0] != '\0') {
            rest[-1] = '\0';
        }
    }
    return plain;
}

bool adapter_part_of(const char *name, enum adapter_part *part, char **module)
{
    g_autofree char *whole = g_strdup(name);

    if (g_str_has_suffix(whole, ".weight")) {
        whole[strlen(whole) - strlen(".weight")] = '\0';
    }
    g_autofree char *plain = without_names(whole);
    size_t longest = 0;
    // ".lora.alpha" ends in ".alpha", too, and leaves another module
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        const size_t length = strlen(endings[i].ending);
        if (length > longest && g_str_has_suffix(plain, endings[i].ending)) {
            longest = length;
            *part = endings[i].part;
        }
    }
    if (longest == 0) {
        return false;
    }
    plain[strlen(plain) - longest] = '\0';
    // ComfyUI's own trainer names the weight, not the module
    if (g_str_has_suffix(plain, ".weight")) {
        plain[strlen(plain) - strlen(".weight")] = '\0';
    }
    *module = g_steal_pointer(&plain);
    return true;
}
