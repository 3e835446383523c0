/* icons.h: what the procedures look like in menus. */
#pragma once

#include "plugin/procedures.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

/* The icon of a procedure, which is in the program. g_object_unref it. */
GdkPixbuf *icons_of(const struct procedure *p);
