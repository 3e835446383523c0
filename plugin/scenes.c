/* Scenes for things; see scenes.h. What lives or stands outside is there first, what people put on
 * a table before a plain colour. */
#include "plugin/scenes.h"

#include <glib.h>
#include <string.h>

// the first ones are what the model that ships has seen
static const char *const outside[] = {
    "a photo of %s in the snow", "a photo of %s on the grass",        "a photo of %s on the beach",
    "a photo of %s at night",    "a photo of %s on a red background", NULL};
static const char *const plain[] = {"a photo of %s on a red background",
                                    "a photo of %s on a blue background",
                                    "a photo of %s in the snow",
                                    "a photo of %s on the grass",
                                    "a photo of %s at night",
                                    NULL};
static const char *const large[] = {"a photo of %s in a forest in autumn",
                                    "a watercolor painting of %s", "a pencil drawing of %s", NULL};

// things, by their last word, that do not stand outside
static const char still[] =
    " food fruit vegetable drink tool instrument clock watch device machine hat crown clothing "
    "dress "
    "shoe glove bag backpack handbag suitcase light lamp candle pot teapot cup mug bottle plate "
    "bowl "
    "toy ball furniture chair bed book gift ring gem trophy bell pencil key hammer scissors guitar "
    "violin drum camera phone laptop radio television cake bread pizza apple pear orange lemon "
    "banana "
    "pineapple strawberry hamburger doughnut coffee milk egg cheese ";

static bool is_still(const char *thing)
{
    // "a red teapot" is a teapot
    const char *blank = strrchr(thing, ' ');
    g_autofree char *word = g_ascii_strdown(blank != NULL ? blank + 1 : thing, -1);
    g_autofree char *whole = g_strdup_printf(" %s ", word);

    return strstr(still, whole) != NULL;
}

static void add(GPtrArray *to, const char *const *scenes, const char *thing)
{
    for (; *scenes != NULL; scenes++) {
        g_auto(GStrv) halves = g_strsplit(*scenes, "%s", 2);
        g_ptr_array_add(to, g_strconcat(halves[0], thing, halves[1], NULL));
    }
}

char **scenes_of(const char *thing, bool small)
{
    GPtrArray *prompts = g_ptr_array_new();

    add(prompts, is_still(thing) ? plain : outside, thing);
    if (!small) {
        add(prompts, large, thing);
    }
    g_ptr_array_add(prompts, NULL);
    return (char **)g_ptr_array_free(prompts, FALSE);
}
