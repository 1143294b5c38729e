// SPDX-License-Identifier: MIT
// Comes first in every file: the instructions that the assembler lacks.
#ifdef __ASSEMBLER__
.include "xtensa.inc"
#else
__asm__(".include \"xtensa.inc\"");
#endif
