/* Words with names; see named_word.h. */
#include "engine/command/named_word.h"

#include <string.h>

const char *named_word_sign(const char *word)
{
    const char *at = strrchr(word, '=');

    // folders may have signs
    return at == NULL || strchr(at, '/') != NULL ? NULL : at;
}
