// SPDX-License-Identifier: MIT
#include "ff_raise.h"

#include <setjmp.h>
#include <stdlib.h>

#undef f_sync
#undef f_close
#undef f_unlink
#undef f_mkdir
#undef f_rename

static jmp_buf *ff_raise_to; // NULL: nobody would catch it

void ff_raise(void) {
    if (ff_raise_to == NULL) {
        abort();
    }
    longjmp(*ff_raise_to, 1);
}

#define FF_CATCH(call)                                                                             \
    {                                                                                              \
        jmp_buf here;                                                                              \
        ff_raise_to = &here;                                                                       \
        FRESULT res = setjmp(here) == 0 ? (call) : FR_DISK_ERR;                                    \
        ff_raise_to = NULL;                                                                        \
        return res;                                                                                \
    }

FRESULT ff_raise_sync(FIL *fp) FF_CATCH(f_sync(fp)) FRESULT ff_raise_close(FIL *fp)
    FF_CATCH(f_close(fp)) FRESULT ff_raise_unlink(FATFS *fs, const TCHAR *path)
        FF_CATCH(f_unlink(fs, path)) FRESULT ff_raise_mkdir(FATFS *fs, const TCHAR *path)
            FF_CATCH(f_mkdir(fs, path)) FRESULT
    ff_raise_rename(FATFS *fs, const TCHAR *from, const TCHAR *to) FF_CATCH(f_rename(fs, from, to))
