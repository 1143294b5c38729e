// SPDX-License-Identifier: MIT
// Names of the files and directories of releases on the card (docs/FORMAT.md).
#ifndef SDB_LAYOUT_H
#define SDB_LAYOUT_H

#define SDB_DIR ".sdboot"
#define SDB_DIR_NEW "/.sdboot/new"
#define SDB_DIR_APP2 "/.sdboot/app" // next/ and SDB_DIR_NEW of a release that is being staged while
#define SDB_DIR_NEW2 "/.sdboot/alt" // another one waits
#define SDB_DIR_OLD "/.sdboot/old"
#define SDB_FILE_ADDED "/.sdboot/added" // what a swap has added outside main_dir, for the way back
#define SDB_NAME_PREV "prev"
#define SDB_DIR_PREV "/" SDB_NAME_PREV
#define SDB_NAME_MAIN "main.py"  // what the firmware runs
#define SDB_FLASH_FILE "boot.py" // the internal flash's: not taken from a package
#define SDB_VERSION_FILE ".version"
#define SDB_MANIFEST_FILE ".manifest" // in main_dir: every file of the release, as sha256sum prints

#endif
