/* Settings of a layer, to JSON and back; see settings.h. They may come from a stranger's image: a
 * text that is too long or too deep is refused before it is parsed, and each value is checked. */
#include "plugin/settings.h"

#include "plugin/told.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define TEXT_MAX  (1 << 16) // bytes
#define DEPTH_MAX 4

// ids of channels mean nothing elsewhere; a seed that was random is written as what it was
char *settings_write(const values *v, int64_t seed)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);

    json_object_set_string_member(object, "procedure", v->procedure->name);
    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        const struct argument *p = &v->procedure->arguments[i];
        if (strcmp(p->name, "seed") == 0) {
            json_object_set_int_member(object, p->name, seed);
        } else if (argument_is_text(p)) {
            g_autofree char *valid = g_utf8_make_valid(v->items[i].text, -1);
            json_object_set_string_member(object, p->name, valid);
            // as a whole number, so that seeds are exact
        } else if (p->kind == ARGUMENT_INT) {
            json_object_set_int_member(object, p->name, (int64_t)v->items[i].number);
        } else if (p->kind == ARGUMENT_NUMBER) {
            json_object_set_double_member(object, p->name, v->items[i].number);
        }
    }
    return json_to_string(root, FALSE);
}

char *settings_of_values(const values *v)
{
    return settings_write(v, values_has(v, "seed") ? values_int(v, "seed") : -1);
}

// whether brackets are nested no deeper than settings are; the parser would go down with them
static bool is_flat(const char *text)
{
    bool quoted = false;
    int depth = 0;

    for (const char *c = text; *c != '\0' && depth <= DEPTH_MAX; c++) {
        // a quotation mark behind it ends no text
        if (*c == '\\' && c[1] != '\0') {
            c++;
        } else if (*c == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += *c == '{' || *c == '[' ? 1 : *c == '}' || *c == ']' ? -1 : 0;
        }
    }
    return depth <= DEPTH_MAX;
}

// what the procedure does not allow is passed over (values_take_text, values_take_number)
static void read_member(values *v, size_t i, JsonNode *node)
{
    const struct argument *p = &v->procedure->arguments[i];
    const GType type = json_node_get_value_type(node);

    if (argument_is_text(p) && type == G_TYPE_STRING) {
        values_take_text(v, i, json_node_get_string(node));
    } else if (!argument_is_text(p) && (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)) {
        values_take_number(v, i, json_node_get_double(node));
    }
}

// the object that a text is, owned by the parser; NULL: it is none
static JsonObject *parse(JsonParser *parser, const char *text)
{
    return strlen(text) <= TEXT_MAX && is_flat(text) ? told_object(parser, text) : NULL;
}

bool settings_seed(const char *text, int64_t *seed)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(parser, text);
    JsonNode *node = object != NULL ? json_object_get_member(object, "seed") : NULL;

    if (node == NULL || json_node_get_value_type(node) != G_TYPE_INT64) {
        return false;
    }
    *seed = json_node_get_int(node);
    return true;
}

// of another procedure, too: Generate takes prompt and seed of what Edit made
bool settings_read(values *v, const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(parser, text);

    if (object == NULL) {
        return false;
    }
    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        JsonNode *node = json_object_get_member(object, v->procedure->arguments[i].name);
        if (node != NULL && JSON_NODE_HOLDS_VALUE(node)) {
            read_member(v, i, node);
        }
    }
    return true;
}

bool settings_of_layer(values *v, host_item layer, GError **error)
{
    g_autofree char *text = host_attached(layer, SETTINGS_NAME);

    if (text != NULL && settings_read(v, text)) {
        return true;
    }
    g_autofree char *name = host_item_name(layer);
    return error_failed(
        error, _("The layer “%s” carries no settings of SVDiff; choose one that it made."), name);
}
