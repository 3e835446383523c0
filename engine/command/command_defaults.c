/* What a model's runs take where nothing else is asked for, for programs that show it before: the
 * words are those of svdiff.json. */
#include "engine/command/command.h"

static void whole(JsonBuilder *j, const char *name, int value)
{
    json_builder_set_member_name(j, name);
    json_builder_add_int_value(j, value);
}

static void number(JsonBuilder *j, const char *name, double value)
{
    json_builder_set_member_name(j, name);
    json_builder_add_double_value(j, value);
}

static void begin(JsonBuilder *j, const char *part)
{
    json_builder_set_member_name(j, part);
    json_builder_begin_object(j);
}

static void add_learn(JsonBuilder *j, const svdiff *s)
{
    const struct svdiff_learn_options o = svdiff_learn_defaults(s);

    begin(j, "learn");
    whole(j, "steps", o.steps);
    number(j, "learning_rate", o.rate);
    whole(j, "size", o.size);
    number(j, "cut_mix", o.cut_mix);
    number(j, "unmix_weight", o.unmix_weight);
    json_builder_end_object(j);
}

static void add_generate(JsonBuilder *j, const svdiff *s)
{
    const struct svdiff_generate_options o = svdiff_generate_defaults(s);

    begin(j, "generate");
    whole(j, "steps", o.steps);
    number(j, "guidance", o.guidance);
    whole(j, "width", o.width);
    whole(j, "height", o.height);
    number(j, "strength", o.strength);
    json_builder_end_object(j);
}

static void add_edit(JsonBuilder *j, const svdiff *s)
{
    const struct svdiff_edit_options o = svdiff_edit_defaults(s);

    begin(j, "edit");
    whole(j, "learn_steps", o.learn_steps);
    whole(j, "steps", o.steps);
    number(j, "guidance", o.guidance);
    number(j, "structure", o.invert ? 1 - o.eta : 0);
    json_builder_end_object(j);
}

void command_add_defaults(JsonBuilder *j, const svdiff *s)
{
    begin(j, "defaults");
    add_learn(j, s);
    add_generate(j, s);
    add_edit(j, s);
    json_builder_end_object(j);
}
