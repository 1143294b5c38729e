// SPDX-License-Identifier: MIT
// A binding whose objects nothing keeps (SDB_KEEP in micropython/port.h): `make test-keep` demands
// that a driver which collects garbage shows it. What calls before have left of a pointer on the
// stack is wiped, or it would keep an object by luck.
#ifndef SDB_MUTANT_KEEP_H
#define SDB_MUTANT_KEEP_H

__attribute__((unused, noinline)) static void mutant_forget(void) {
    volatile char dead[8192];
    for (unsigned i = 0; i < sizeof(dead); i++) {
        dead[i] = 0;
    }
}
#define SDB_KEEP(start) ((void)(start), mutant_forget())

#endif
