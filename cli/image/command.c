// SPDX-License-Identifier: MIT
// sdboot image: a ready card, as a board makes it. sdboot sim: the simulated board on a card.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/card/card.h"
#include "cli/card/say.h"
#include "cli/commands.h"
#include "cli/image/format.h"
#include "cli/tool.h"
#include "core/error.h"

static const char help[] =
    "usage: sdboot image --size SIZE [--fs fat|littlefs] [--from DIR] CARD\n"
    "\n"
    "Makes the image of a card, formatted as a board does it, control area included, and copies "
    "the\n"
    "files of a folder onto it. The file is sparse: 32G take no room on the PC.\n"
    "\n"
    "  -s, --size SIZE  bytes, or with K, M, G: 4G\n"
    "  -t, --fs TYPE    fat (default) or littlefs\n"
    "  -d, --from DIR   what is copied to the card\n"
    "      --serial N   the FAT's serial number (the time)\n"
    "      --force      replaces a file; formats a device, whose size it keeps\n"
    "\n"
    "SOURCE_DATE_EPOCH in the environment dates the files, for images that are the same each "
    "time.\n"
    "\n"
    "  sdboot image --size 4G --from src card.img\n"
    "  dd if=card.img of=/dev/sdX bs=4M conv=sparse,fsync\n";

enum { SERIAL = 256, FORCE };

struct options {
    uint64_t size;
    const char *from;
    bool littlefs, force;
    uint32_t serial;
};

static uint64_t size_of(const char *text) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(tool_value("--size", text), &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    end += shift > 0;
    if (errno != 0 || *end != '\0' || text[0] == '-' || n == 0 || n > (UINT64_MAX >> 1 >> shift) ||
        (n << shift) % SDB_SECTOR != 0) {
        tool_die("--size: \"%s\" is no size in whole sectors of 512 bytes: 64M, 4G", text);
    }
    if ((n << shift) / SDB_SECTOR > UINT32_MAX) {
        tool_die("--size: 2 TiB is the largest card that there is");
    }
    return n << shift;
}

static const char *parse(int argc, char **argv, struct options *o) {
    static const struct option options[] = {
        {"size", required_argument, NULL, 's'},
        {"fs", required_argument, NULL, 't'},
        {"from", required_argument, NULL, 'd'},
        {"serial", required_argument, NULL, SERIAL},
        {"force", no_argument, NULL, FORCE},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "s:t:d:h", options, NULL)) != -1) {
        switch (c) {
        case 's':
            o->size = size_of(optarg);
            break;
        case 't':
            if (strcmp(optarg, "fat") != 0 && strcmp(optarg, "littlefs") != 0) {
                tool_die("--fs: \"%s\": fat or littlefs", optarg);
            }
            o->littlefs = strcmp(optarg, "littlefs") == 0;
            break;
        case 'd':
            o->from = tool_value("--from", optarg);
            break;
        case SERIAL:
            o->serial = (uint32_t)tool_number("--serial", optarg, 0, UINT32_MAX);
            break;
        case FORCE:
            o->force = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            exit(TOOL_TROUBLE);
        }
    }
    if (argc - optind != 1) {
        tool_die("image needs one card; --help shows how");
    }
    return argv[optind];
}

// Makes the file, of that size and empty. A device stays as it is.
static void make_file(const char *path, const struct options *o) {
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && !o->force) {
        tool_die("%s exists: --force replaces it, and all that is on it", path);
    }
    if (there && S_ISBLK(st.st_mode)) {
        return;
    }
    if (o->size == 0) {
        tool_die("say how large the card is: --size 4G");
    }
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, (off_t)o->size) != 0 || close(fd) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
}

// ---- Files --------------------------------------------------------------------------------------

struct copy {
    struct card *card;
    unsigned files;
    uint64_t bytes;
};

static _Noreturn void refuse(const char *path, int res) {
    tool_refuse("%s: the card does not take it: %s", path,
                res == SDB_EACCES ? "it is full, or a name that FAT can't have"
                                  : sdb_strerror(res));
}

static void copy_file(struct copy *c, const char *from, const char *to) {
    const struct sdb_fs *fs = &c->card->fs;
    uint8_t buf[32768];
    size_t n;
    FILE *in = fopen(from, "rb");
    if (in == NULL) {
        tool_die("%s: %s", from, strerror(errno));
    }
    int file = fs->open(fs->ctx, to, 'x');
    if (file < 0) {
        refuse(to, file);
    }
    int res = 0;
    while (res == 0 && (n = fread(buf, 1, sizeof buf, in)) > 0) {
        res = fs->write(fs->ctx, file, buf, n);
        c->bytes += n;
    }
    if (ferror(in)) {
        tool_die("%s: %s", from, strerror(errno));
    }
    int closed = fs->close(fs->ctx, file);
    if (res < 0 || closed < 0) {
        refuse(to, res < 0 ? res : closed);
    }
    fclose(in);
    c->files++;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

// Copies what is in the folder `from` to the folder `to` of the card, "" for its root.
static void copy_folder(struct copy *c, const char *from, const char *to) {
    struct dirent **list;
    int count = scandir(from, &list, NULL, by_name); // the same order everywhere
    if (count < 0) {
        tool_die("%s: %s", from, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        const char *name = list[i]->d_name;
        struct stat st;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            char *source = tool_format("%s/%s", from, name);
            char *target = tool_format("%s/%s", to, name);
            if (stat(source, &st) != 0) {
                tool_die("%s: %s", source, strerror(errno));
            }
            if (strlen(target) > SDB_PATH_MAX) {
                refuse(target, SDB_ENAMETOOLONG);
            }
            if (S_ISDIR(st.st_mode)) {
                int res = c->card->fs.mkdir(c->card->fs.ctx, target);
                if (res < 0) {
                    refuse(target, res);
                }
                copy_folder(c, source, target);
            } else if (S_ISREG(st.st_mode)) {
                copy_file(c, source, target);
            } else {
                tool_die("%s: neither a file nor a folder: a board can't have it", source);
            }
            free(source);
            free(target);
        }
        free(list[i]);
    }
    free(list);
}

int command_image(int argc, char **argv) {
    struct options o = {.serial = (uint32_t)time(NULL)};
    static struct card card;
    static struct device device;
    const char *path = parse(argc, argv, &o);
    struct copy copy = {.card = &card};
    make_file(path, &o);
    device_open(&device, path, true);
    format_card(&device, o.littlefs, o.serial);
    device_close(&device);
    card_open(&card, path, true);
    if (!card.mounted) {
        card_failed(&card, card.mount_error);
    }
    if (o.from != NULL) {
        copy_folder(&copy, o.from, "");
    }
    if (card.is_lfs) {
        lfs2_unmount(&card.lfs.fs);
    }
    printf("%s: %s of %s, %u files (%s)\n", path, card.is_fat ? "FAT" : "littlefs",
           say_size(card.device.bytes), copy.files, say_size(copy.bytes));
    card_close(&card);
    return TOOL_GOOD;
}

// ---- sdboot sim ---------------------------------------------------------------------------------

static const char sim_help[] =
    "usage: sdboot sim CARD [NAME=VALUE...]\n"
    "\n"
    "Starts the simulated board with that card, in this terminal; Ctrl-] leaves it. It is part of\n"
    "sdboot's source tree: SDBOOT_TREE says where that is, if it is not where the tool was built.\n"
    "NAME=VALUE is what `make run` takes: PIN=18=0, FAIL=w9+, URL=http://...\n"
    "\n"
    "  sdboot sim card.img\n";

int command_sim(int argc, char **argv) {
    const char *tree = getenv("SDBOOT_TREE");
    struct stat st;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(sim_help, stdout);
        return TOOL_GOOD;
    }
    if (argc < 2) {
        tool_die("sim needs a card; --help shows how");
    }
    tree = tree != NULL ? tree : SDBOOT_SOURCE;
    char *tool = tool_format("%s/tools/run.py", tree);
    char *card = realpath(argv[1], NULL);
    if (card == NULL || stat(card, &st) != 0) {
        tool_die("%s: %s", argv[1], strerror(errno));
    }
    if (access(tool, F_OK) != 0) {
        tool_die("%s: sdboot's source tree is not there; SDBOOT_TREE says where it is", tree);
    }
    char **command = tool_alloc(((size_t)argc + 6) * sizeof *command);
    int n = 0;
    command[n++] = "make";
    command[n++] = "--no-print-directory";
    command[n++] = "-C";
    command[n++] = (char *)tree;
    command[n++] = "run";
    command[n++] = tool_format("CARD=%s", card);
    for (int i = 2; i < argc; i++) {
        command[n++] = argv[i];
    }
    execvp("make", command);
    tool_die("make: %s", strerror(errno));
}
