/* What a model's runs can be asked for and what they take where nothing is, for programs that show
 * it before: the words are those of svdiff.json. */
#include "engine/command/command.h"

static const struct {
    const struct option_table *table;
    void (*defaults)(const svdiff *s, void *options);
} jobs[] = {
    {&options_of_learn, command_learn_defaults},
    {&options_of_generate, command_generate_defaults},
    {&options_of_edit, command_edit_defaults},
};

void command_learn_defaults(const svdiff *s, void *options)
{
    *(struct svdiff_learn_options *)options = svdiff_learn_defaults(s);
}

void command_generate_defaults(const svdiff *s, void *options)
{
    *(struct svdiff_generate_options *)options = svdiff_generate_defaults(s);
}

void command_edit_defaults(const svdiff *s, void *options)
{
    *(struct svdiff_edit_options *)options = svdiff_edit_defaults(s);
}

// a number as what it is
static void add_value(JsonBuilder *j, const struct option *o, double value)
{
    if (o->words != NULL && option_word(o, (int)value) == NULL) {
        json_builder_add_null_value(j); // as the model says
    } else if (o->words != NULL) {
        json_builder_add_string_value(j, option_word(o, (int)value));
    } else if (o->kind == OPTION_BOOL) {
        json_builder_add_boolean_value(j, value != 0);
    } else if (o->kind == OPTION_INT) {
        json_builder_add_int_value(j, (gint64)value);
    } else {
        json_builder_add_double_value(j, value);
    }
}

static void set_name(JsonBuilder *j, const struct option *o)
{
    g_autofree char *key = option_key(o);

    json_builder_set_member_name(j, key);
}

static void add_defaults(JsonBuilder *j, const struct option_table *t, const void *options)
{
    json_builder_set_member_name(j, t->job);
    json_builder_begin_object(j);
    for (size_t i = 0; i < t->n; i++) {
        const struct option *o = &t->rows[i];
        if (option_is_number(o) && o->field != OPTION_NO_FIELD) {
            set_name(j, o);
            add_value(j, o, option_get(o, options));
        }
    }
    json_builder_end_object(j);
}

// [low, high], the words, or null
static void add_choice(JsonBuilder *j, const struct option *o)
{
    const bool range = o->kind == OPTION_INT || o->kind == OPTION_NUMBER;

    if (o->words == NULL && !range) {
        json_builder_add_null_value(j);
        return;
    }
    json_builder_begin_array(j);
    if (range) {
        add_value(j, o, o->low);
        add_value(j, o, o->high);
    }
    for (int i = 0; o->words != NULL && o->words[i] != NULL; i++) {
        json_builder_add_string_value(j, o->words[i]);
    }
    json_builder_end_array(j);
}

static void add_rows(JsonBuilder *j, const struct option_table *t)
{
    json_builder_set_member_name(j, t->job);
    json_builder_begin_object(j);
    for (size_t i = 0; i < t->n; i++) {
        set_name(j, &t->rows[i]);
        add_choice(j, &t->rows[i]);
    }
    json_builder_end_object(j);
}

void command_add_options(JsonBuilder *j, const svdiff *s)
{
    json_builder_set_member_name(j, "options");
    json_builder_begin_object(j);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        add_rows(j, jobs[i].table);
    }
    json_builder_end_object(j);
    json_builder_set_member_name(j, "defaults");
    json_builder_begin_object(j);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        g_autofree void *options = g_malloc0(jobs[i].table->size);
        jobs[i].defaults(s, options);
        add_defaults(j, jobs[i].table, options);
    }
    json_builder_end_object(j);
}
