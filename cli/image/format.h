// SPDX-License-Identifier: MIT
// Formatting a card as a board does it (micropython/sdboot/card.py).
#ifndef SDBOOT_FORMAT_H
#define SDBOOT_FORMAT_H

#include <stdbool.h>

#include "cli/card/device.h"

// All that is on the card is lost. Dies if it can't be done.
void format_card(struct device *device, bool littlefs, uint32_t serial);

#endif
