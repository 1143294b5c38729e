// SPDX-License-Identifier: MIT
// A web server asked as a board asks it.
#ifndef SDBOOT_REMOTE_H
#define SDBOOT_REMOTE_H

#include <stdbool.h>

bool remote_is_url(const char *text);

// What is wrong with a server, or worth knowing about it.
typedef void remote_fault(const char *what, const char *why);

// Fetches what `url` offers into the folder `to`: versions, its signature, packages; calls `fault`
// for what a board would stumble over, `note` for what costs it time. `ca`: file of certificates to
// believe instead of the system's, or NULL. Dies if the server can't be reached at all. Returns
// false if there is no list.
bool remote_fetch(const char *url, const char *to, const char *ca, remote_fault *fault,
                  remote_fault *note);

#endif
