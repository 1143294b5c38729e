// SPDX-License-Identifier: MIT
#include "shared/runtime/interrupt_char.h"
