/* What a model's runs can be asked for and what they take where nothing is, for programs that show
 * it before: the words are those of svdiff.json. */
#include "engine/command/command.h"

#include "engine/session/session.h"

// those of which a model says what suits it
static const struct option_table *const jobs[] = {&options_of_learn, &options_of_generate,
                                                  &options_of_edit};

/* A number as what it is: a word, true or false, a whole number or another. A choice without a word
 * for the value is what the model says, null. */
static JsonNode *value_node(const struct option *o, double value)
{
    JsonNode *node = json_node_alloc();

    if (o->words != NULL) {
        const char *word = option_word(o, (int)value);
        return word != NULL ? json_node_init_string(node, word) : json_node_init_null(node);
    }
    switch (o->kind) {
    case OPTION_BOOL:
        return json_node_init_boolean(node, value != 0);
    case OPTION_INT:
        return json_node_init_int(node, (gint64)value);
    default:
        return json_node_init_double(node, value);
    }
}

JsonObject *command_list_defaults(const struct option_table *t, const void *options)
{
    JsonObject *all = json_object_new();

    for (size_t i = 0; i < t->n; i++) {
        const struct option *o = &t->rows[i];
        g_autofree char *key = option_key(o);
        if (option_is_number(o) && o->field != OPTION_NO_FIELD) {
            json_object_set_member(all, key, value_node(o, option_get(o, options)));
        }
    }
    return all;
}

// [low, high], the words, or null
static JsonNode *choice_node(const struct option *o)
{
    const bool range = o->kind == OPTION_INT || o->kind == OPTION_NUMBER;

    if (o->words == NULL && !range) {
        return json_node_init_null(json_node_alloc());
    }
    g_autoptr(JsonArray) list = json_array_new();
    if (range) {
        json_array_add_element(list, value_node(o, o->low));
        json_array_add_element(list, value_node(o, o->high));
    }
    for (int i = 0; o->words != NULL && o->words[i] != NULL; i++) {
        json_array_add_string_element(list, o->words[i]);
    }
    return json_node_init_array(json_node_alloc(), list);
}

static JsonObject *list_choices(const struct option_table *t)
{
    JsonObject *all = json_object_new();

    for (size_t i = 0; i < t->n; i++) {
        g_autofree char *key = option_key(&t->rows[i]);
        json_object_set_member(all, key, choice_node(&t->rows[i]));
    }
    return all;
}

void command_add_options(JsonObject *to, const svdiff *s)
{
    JsonObject *options = json_object_new(), *defaults = json_object_new();

    json_object_set_object_member(to, "options", options);
    json_object_set_object_member(to, "defaults", defaults);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        // the job's own struct, as its run would get it
        g_autofree void *own = g_malloc(jobs[i]->size);
        session_defaults(s, jobs[i], own);
        json_object_set_object_member(options, jobs[i]->job, list_choices(jobs[i]));
        json_object_set_object_member(defaults, jobs[i]->job, command_list_defaults(jobs[i], own));
    }
}
