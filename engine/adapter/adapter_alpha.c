/* Alphas of PEFT's settings; see adapter_alpha.h. */
#include "engine/adapter/adapter_alpha.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

#include <math.h>
#include <string.h>

#define HEADER_KEY  "lora_adapter_metadata"
#define FILE_NAME   "adapter_config.json"
#define BESIDE      "adapter_model." // begins the name of the file that it is of
#define MAX_BYTES   (1 << 20)
#define ALPHA_BOUND 1e9
// of PEFT's series for rotations, where nothing else is said, and at most
#define SERIES_TERMS 5
#define SERIES_MOST  100
// of its constrained rotations, where nothing else is said
#define CONSTRAINT 6e-5

struct adapter_alphas {
    JsonNode *root;
    JsonObject *object; // of root
    char *what;         // for sentences
};

struct adapter_alphas *adapter_alphas_read(const struct safetensors *file, GError **error)
{
    const char *text = safetensors_metadata(file, HEADER_KEY);
    g_autofree char *folder = g_path_get_dirname(safetensors_path(file));
    g_autofree char *beside = g_build_filename(folder, FILE_NAME, NULL);
    g_autofree char *name = g_path_get_basename(safetensors_path(file));
    g_autoptr(adapter_alphas) a = g_new0(struct adapter_alphas, 1);

    // other files of a folder are none of its business
    if (text == NULL &&
        (!g_str_has_prefix(name, BESIDE) || !g_file_test(beside, G_FILE_TEST_EXISTS))) {
        return NULL;
    }
    a->what = text != NULL ? g_strdup_printf("%s: " HEADER_KEY, safetensors_path(file))
                           : g_strdup(beside);
    a->root = text != NULL ? json_parse_strict(text, strlen(text), a->what, error)
                           : json_read_file(beside, MAX_BYTES, error);
    a->object = a->root != NULL ? json_root_object(a->root, a->what, error) : NULL;
    return a->object != NULL ? g_steal_pointer(&a) : NULL;
}

void adapter_alphas_free(struct adapter_alphas *a)
{
    if (a != NULL) {
        g_clear_pointer(&a->root, json_node_unref);
        g_free(a->what);
        g_free(a);
    }
}

// a member under its name, or behind the component that the module's name begins with
static JsonNode *member(const struct adapter_alphas *a, const char *module, const char *key)
{
    const char *dot = strchr(module, '.');
    g_autofree char *longer =
        dot != NULL ? g_strdup_printf("%.*s.%s", (int)(dot - module), module, key) : NULL;

    if (longer != NULL && json_object_has_member(a->object, longer)) {
        return json_object_get_member(a->object, longer);
    }
    return json_object_has_member(a->object, key) ? json_object_get_member(a->object, key) : NULL;
}

static bool number_of(JsonNode *node, double *value)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        (json_node_get_value_type(node) != G_TYPE_INT64 &&
         json_node_get_value_type(node) != G_TYPE_DOUBLE)) {
        return false;
    }
    const double number = json_node_get_double(node);
    // what is beyond every use is as good as nothing said
    *value = fabs(number) < ALPHA_BOUND ? number : *value;
    return fabs(number) < ALPHA_BOUND;
}

// a module's path in its own network, which expressions are of
static const char *path_of(const char *module)
{
    static const char *const starts[] = {"base_model.model.", "unet.", "text_encoder."};

    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        module += g_str_has_prefix(module, starts[i]) ? strlen(starts[i]) : 0;
    }
    return module;
}

// patterns are names, or what names end in behind a point; or expressions for either, as PEFT reads them
static bool matches(const char *pattern, const char *module)
{
    if (strpbrk(pattern, "^$*+?()[]{}|\\") == NULL) {
        g_autofree char *ending = g_strconcat(".", pattern, NULL);
        return strcmp(module, pattern) == 0 || g_str_has_suffix(module, ending);
    }
    // of which some would be tried for years
    g_autofree char *whole = g_strdup_printf("(*LIMIT_MATCH=10000)^(.*\\.)?(%s)$", pattern);
    return g_regex_match_simple(whole, path_of(module), 0, 0);
}

// a number of its own
static bool pattern_of(const struct adapter_alphas *a, const char *module, const char *key,
                       double *value)
{
    JsonNode *node = member(a, module, key);

    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        return false;
    }
    JsonObject *patterns = json_node_get_object(node);
    g_autoptr(GList) names = json_object_get_members(patterns);
    for (GList *at = names; at != NULL; at = at->next) {
        if (matches(at->data, module) &&
            number_of(json_object_get_member(patterns, at->data), value)) {
            return true;
        }
    }
    return false;
}

// a switch; what is none counts as its default
static bool is_on(JsonNode *node, bool standard)
{
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_BOOLEAN
               ? json_node_get_boolean(node)
               : standard;
}

double adapter_alphas_scale(const struct adapter_alphas *a, const char *module, int64_t rank)
{
    double alpha = (double)rank;

    if (a == NULL || rank <= 0) {
        return 1;
    }
    // PEFT calls it lora_alpha of LoRA and alpha of LoHa and LoKr; a pattern counts before either
    if (!pattern_of(a, module, "alpha_pattern", &alpha) &&
        !number_of(member(a, module, "lora_alpha"), &alpha)) {
        number_of(member(a, module, "alpha"), &alpha);
    }
    // rsLoRA: alpha / sqrt(r), which keeps what a step does the same at every rank
    const bool root = is_on(member(a, module, "use_rslora"), false);
    return alpha / (root ? sqrt((double)rank) : (double)rank);
}

int64_t adapter_alphas_rank(const struct adapter_alphas *a, const char *module, int64_t found)
{
    double rank = (double)found;

    if (a != NULL && !pattern_of(a, module, "rank_pattern", &rank)) {
        number_of(member(a, module, "r"), &rank);
    }
    return rank >= 1 ? (int64_t)rank : found;
}

bool adapter_alphas_rotation(const struct adapter_alphas *a, const char *module, const char *path,
                             int *terms, double *bound, GError **error)
{
    double wanted = SERIES_TERMS, constraint = CONSTRAINT;

    // PEFT's default is the series without a constraint: a file that says nothing is taken to be of it
    *terms = SERIES_TERMS;
    *bound = 0;
    if (a == NULL) {
        return true;
    }
    number_of(member(a, module, "num_cayley_neumann_terms"), &wanted);
    const bool series = is_on(member(a, module, "use_cayley_neumann"), true);
    *terms = series ? (int)CLAMP(wanted, 1, SERIES_MOST) : 0;
    if (!is_on(member(a, module, "coft"), false)) {
        return true;
    }
    number_of(member(a, module, "eps"), &constraint);
    *bound = constraint;
    return constraint > 0 ||
           error_failed(error,
                        "%s: its settings constrain rotations (coft) with an eps of %g, which has "
                        "to be above 0; get another copy.",
                        path, constraint);
}
