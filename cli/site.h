// SPDX-License-Identifier: MIT
// A folder as a web server serves it: `versions`, its signature, packages.
#ifndef SDBOOT_SITE_H
#define SDBOOT_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/web/versions.h"
#include "tool.h"

struct site {
    struct tool_text text; // of `versions`; empty if there is none
    struct site_line {
        char *text; // the line without its end
        bool is_release;
        struct sdb_release release;
    } * lines;
    size_t count;
    struct sdb_details said; // by lines "# sdboot"; what is said of a file is in its release
    size_t unreadable;       // number of the first such line that boards can't read, 0: none
};

// Reads `folder`/versions, each line as a board does. Dies if it can't be read.
void site_read(struct site *site, const char *folder);
void site_free(struct site *site);

#endif
