// Shared by volume.c and volume_make.c.
#ifndef SDB_VOLUME_AREA_H
#define SDB_VOLUME_AREA_H

#include "core/journal/volume.h"

// v->control has been found or made: takes it into use.
void sdb_volume_set_area(struct sdb_volume *v);

#endif
