/* Binding the translations; see words.h. */
#include "plugin/words.h"

#include "plugin/paths.h"

#include <locale.h>

void words_begin(void)
{
    g_autofree char *folder = paths_locale();

    setlocale(LC_ALL, "");
    bindtextdomain(WORDS_DOMAIN, folder);
    bind_textdomain_codeset(WORDS_DOMAIN, "UTF-8");
}
