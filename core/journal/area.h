// SPDX-License-Identifier: MIT
// Sizes of the control area and what is where in it: shared by control area and journal.
#ifndef SDB_AREA_H
#define SDB_AREA_H

#include <stdint.h>

#define SDB_CONTROL_MIN 32u       // sectors of the smallest area in the gap behind the MBR
#define SDB_CONTROL_FILE_MIN 128u // sectors of the smallest area in a file: 64 KiB
#define SDB_CONTROL_MAX 8192u     // sectors of the largest area: 4 MiB

// Sectors within the area. The second record slot is the very last, far from the first.
#define SDB_CONTROL_IDENT 0u   // identity
#define SDB_CONTROL_RECORD 1u  // first record slot
#define SDB_CONTROL_SECTOR0 2u // copy of sector 0 as it is with our pointer in it
#define SDB_CONTROL_BOOT 3u    // copy of the volume's boot sector, if the volume is a partition
#define SDB_CONTROL_JOURNAL 4u // the journal's part, up to the last sector of the area
#define SDB_CONTROL_FIXED 5u   // sectors that are not the journal's: those four and the last

#define SDB_CONTROL_HEADER SDB_CONTROL_JOURNAL

#define SDB_INDEX_ENTRIES 40u // captured sectors that one sector of the journal's index describes

#define SDB_RING_MIN_AREA 64u // sectors of the smallest area that may have a log
#define SDB_RING_MAX 128u     // sectors of the longest log, with its anchor

// Sectors that a log takes from the end of the journal's part, 0: there is no room for one.
static inline uint32_t sdb_area_ring(uint32_t sectors) {
    uint32_t share = sectors / 4;
    return sectors < SDB_RING_MIN_AREA ? 0 : share < SDB_RING_MAX ? share : SDB_RING_MAX;
}

// Where it begins, within the area.
static inline uint32_t sdb_area_anchor(uint32_t sectors) {
    return sectors - 1 - sdb_area_ring(sectors);
}

// Slots for captured sectors in an area of `sectors`, those of a log taken off: the index needs
// room beside them.
static inline uint32_t sdb_area_slots(uint32_t sectors) {
    uint32_t room = sectors - SDB_CONTROL_FIXED - 1; // beside the header
    uint32_t slots = room;
    while (slots + (slots - 1) / SDB_INDEX_ENTRIES > room) {
        slots--;
    }
    return slots;
}

#endif
