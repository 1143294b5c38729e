// SPDX-License-Identifier: MIT
// A checker of FAT volumes that shares no line with core/ or FatFs.
#ifndef TORTURE_FATCHECK_H
#define TORTURE_FATCHECK_H

#include "image.h"

struct fatcheck {
    const char *error; // NULL, or what is dangerously wrong
    char where[300];   // path of the entry that it is about
    uint64_t digest;   // of all names, attributes, sizes and contents, of leaks and overlong chains
    uint64_t loose;    // the same without what FSInfo says
    uint64_t visible;  // of all outside /next, /prev and /.sdboot
    uint32_t leaks;    // clusters that are allocated and belong to nothing
    uint32_t overlong; // files with more clusters than their size needs
    uint32_t files;
    uint32_t dirs;
    uint32_t free_count; // clusters free by the FAT
};

// Examines the volume on the card `img`: chains (range, free, bad, circular, shared), entries of
// directories (dot entries, long names and their checksums, nothing behind the terminator), sizes
// against chains, both FATs against each other, the free count in FSInfo if it claims one.
// Contents of /.sdboot/journal and /filler… are not part of the digest. Returns error == NULL.
bool fatcheck(const struct image *img, struct fatcheck *out);

#endif
