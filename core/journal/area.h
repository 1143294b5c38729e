// Sizes of the control area and what is where in it: shared by control area and journal.
#ifndef SDB_AREA_H
#define SDB_AREA_H

#include <stdint.h>

#define SDB_CONTROL_MIN 32u       // sectors of the smallest area in the gap behind the MBR
#define SDB_CONTROL_FILE_MIN 128u // sectors of the smallest area in a file: 64 KiB
#define SDB_CONTROL_MAX 512u      // sectors of the largest area

// Sectors within the area: identity, first record slot, journal header, index, slots, and the
// second record slot at the very end, far from the first.
#define SDB_CONTROL_IDENT 0u
#define SDB_CONTROL_RECORD 1u
#define SDB_CONTROL_HEADER 2u
#define SDB_CONTROL_FIXED 4u // the three above and the last sector

#define SDB_INDEX_ENTRIES 40u // captured sectors that one sector of the journal's index describes

// Slots for captured sectors in an area of `sectors`: the index needs room beside them.
static inline uint32_t sdb_area_slots(uint32_t sectors) {
    uint32_t slots = sectors - SDB_CONTROL_FIXED;
    while (slots + (slots - 1) / SDB_INDEX_ENTRIES > sectors - SDB_CONTROL_FIXED) {
        slots--;
    }
    return slots;
}

#endif
