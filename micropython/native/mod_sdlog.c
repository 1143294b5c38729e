// SPDX-License-Identifier: MIT
// Module _sdlog: _sdboot with the journal's log, which not every board has the memory for. It takes
// the other one's place (micropython/sdboot/_native.py).
#include "mod_sdboot.c"
