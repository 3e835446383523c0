/* Binding the translations; see words.h. */
#include "plugin/words.h"

#include "plugin/paths.h"

#include <locale.h>

const char *words_folder(void)
{
    return paths_are_built() ? SVDIFF_BUILD_DIR "/plugin/po" : SVDIFF_LOCALE_DIR;
}

void words_begin(void)
{
    setlocale(LC_ALL, "");
    bindtextdomain(WORDS_DOMAIN, words_folder());
    bind_textdomain_codeset(WORDS_DOMAIN, "UTF-8");
}
