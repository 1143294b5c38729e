// SPDX-License-Identifier: MIT
// Shared by volume.c and volume_make.c.
#ifndef SDB_VOLUME_AREA_H
#define SDB_VOLUME_AREA_H

#include "core/journal/volume.h"

// v->control has been found or made: takes it into use for the record and, unless it is of an older
// version, for the journal.
void sdb_volume_set_area(struct sdb_volume *v);

// Sectors that a control area on this volume's card is to have.
uint32_t sdb_volume_wanted(const struct sdb_fatgeo *geo);

#endif
