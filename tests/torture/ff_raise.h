// SPDX-License-Identifier: MIT
// Errors of a sync, as they reach an application on stock firmware: MicroPython's glue tells FatFs
// that each sync went well, whatever the block device has said, so ours raises an exception. It
// jumps out of FatFs, over what is left of the operation. Here it is a longjmp, caught in functions
// that stand before those of FatFs. To be included after ff.h by whatever calls FatFs.
#ifndef TORTURE_FF_RAISE_H
#define TORTURE_FF_RAISE_H

#include "lib/oofatfs/ff.h"

// For disk_ioctl(): a sync has failed. Doesn't return.
_Noreturn void ff_raise(void);

// FR_DISK_ERR if something was raised in them.
FRESULT ff_raise_sync(FIL *fp);
FRESULT ff_raise_close(FIL *fp);
FRESULT ff_raise_unlink(FATFS *fs, const TCHAR *path);
FRESULT ff_raise_mkdir(FATFS *fs, const TCHAR *path);
FRESULT ff_raise_rename(FATFS *fs, const TCHAR *from, const TCHAR *to);

#define f_sync ff_raise_sync
#define f_close ff_raise_close
#define f_unlink ff_raise_unlink
#define f_mkdir ff_raise_mkdir
#define f_rename ff_raise_rename

#endif
