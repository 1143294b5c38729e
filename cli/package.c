// SPDX-License-Identifier: MIT
#include "package.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/release/layout.h"
#include "tool.h"

struct package_list {
    char **names; // paths within the package; those of folders end in '/'
    size_t count;
    size_t room;
};

static void list_add(struct package_list *list, char *name) {
    if (list->count == list->room) {
        list->room = list->room * 2 + 16;
        list->names = realloc(list->names, list->room * sizeof *list->names);
        if (list->names == NULL) {
            tool_die("out of memory");
        }
    }
    list->names[list->count++] = name;
}

static bool is_litter(const char *name) {
    static const char *const litter[] = {".DS_Store", ".git", "__pycache__", "__MACOSX"};
    for (size_t i = 0; i < sizeof litter / sizeof *litter; i++) {
        if (strcmp(name, litter[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, "._", 2) == 0;
}

// Adds the file `name` below `folder`, or a folder with all that is in it. The folder itself is
// named only if it is empty: boards make those that files are in.
static void list_tree(struct package_list *list, const char *folder, const char *name) {
    char *path = tool_format("%s/%s", folder, name);
    struct stat st;
    if (lstat(path, &st) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
    if (S_ISREG(st.st_mode)) {
        list_add(list, tool_format("%s", name));
    } else if (S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        if (dir == NULL) {
            tool_die("%s: %s", path, strerror(errno));
        }
        bool empty = true;
        const struct dirent *entry;
        while ((entry = readdir(dir)) != NULL) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                is_litter(entry->d_name)) {
                continue;
            }
            char *below = strcmp(name, ".") == 0 ? tool_format("%s", entry->d_name)
                                                 : tool_format("%s/%s", name, entry->d_name);
            list_tree(list, folder, below);
            free(below);
            empty = false;
        }
        closedir(dir);
        if (empty && strcmp(name, ".") != 0) {
            list_add(list, tool_format("%s/", name));
        }
    } else {
        tool_die("%s: neither a file nor a folder: a board can't have it", path);
    }
    free(path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Adds the folders that the names in the list lie in, some of them many times: the original's
// client makes no folder but those that a package names.
static void list_folders(struct package_list *list) {
    size_t count = list->count;
    for (size_t i = 0; i < count; i++) {
        const char *name = list->names[i];
        for (const char *end = strchr(name, '/'); end != NULL && end[1] != '\0';
             end = strchr(end + 1, '/')) {
            list_add(list, tool_format("%.*s", (int)(end + 1 - name), name));
        }
    }
}

static void check_archive(struct archive *a, const char *out, int res) {
    if (res < ARCHIVE_WARN) {
        tool_die("%s: %s", out, archive_error_string(a));
    }
}

static void add_entry(struct archive *a, const char *out, const char *name, bool folder,
                      const struct tool_text *text) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, folder ? 0755 : 0644);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, folder ? 0 : (la_int64_t)text->len);
    check_archive(a, out, archive_write_header(a, entry));
    if (!folder && text->len > 0 &&
        archive_write_data(a, text->data, text->len) != (la_ssize_t)text->len) {
        tool_die("%s: %s", out, archive_error_string(a));
    }
    archive_entry_free(entry);
}

// A path of the command line as it is in the package: without "./" and '/' at the end.
static char *plain(const char *path) {
    while (strncmp(path, "./", 2) == 0) {
        for (path += 2; *path == '/'; path++) {
        }
    }
    char *copy = tool_format("%s", *path == '\0' ? "." : path);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--) {
        copy[len - 1] = '\0';
    }
    if (copy[0] == '/' || strcmp(copy, "..") == 0 || strncmp(copy, "../", 3) == 0) {
        tool_die("%s: give what is packed relative to the folder of -C", copy);
    }
    return copy;
}

// ---- mpy-cross ----------------------------------------------------------------------------------

void package_except(struct package_compiler *compiler, const char *pattern) {
    if (compiler->except_count == PACKAGE_EXCEPTIONS) {
        tool_die("-x: more than %d patterns", PACKAGE_EXCEPTIONS);
    }
    compiler->except[compiler->except_count++] = pattern;
}

static bool is_compiled(const struct package_compiler *compiler, const char *name) {
    size_t len = strlen(name);
    if (compiler->program == NULL || len < 3 || strcmp(name + len - 3, ".py") != 0 ||
        strcmp(name, SDB_NAME_MAIN) == 0 || strcmp(name, SDB_FLASH_FILE) == 0) {
        return false; // the firmware looks for main.py and boot.py by these names
    }
    for (size_t i = 0; i < compiler->except_count; i++) {
        if (fnmatch(compiler->except[i], name, 0) == 0) {
            return false;
        }
    }
    return true;
}

// x.py becomes x.mpy in the list, which stays sorted.
static void compile_names(struct package_list *list, const struct package_compiler *compiler) {
    for (size_t i = 0; i < list->count; i++) {
        char *name = list->names[i];
        if (is_compiled(compiler, name)) {
            list->names[i] = tool_format("%.*s.mpy", (int)strlen(name) - 3, name);
            free(name);
        }
    }
}

// Compiles the file that became `path`, .mpy.
static void compile(const struct package_compiler *c, const char *path, const char *name,
                    struct tool_text *text) {
    char *source = tool_format("%.*s.py", (int)strlen(path) - 4, path);
    char *shown = tool_format("%.*s.py", (int)strlen(name) - 4, name); // in its tracebacks
    char *march = tool_format("-march=%s", c->march != NULL ? c->march : "");
    char out[] = "/tmp/sdboot-XXXXXX";
    int fd = mkstemp(out);
    if (fd < 0) {
        tool_die("%s: %s", out, strerror(errno));
    }
    close(fd);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const char *args[] = {
            c->program, "-s", shown, "-o", out, source, c->march != NULL ? march : NULL, NULL};
        execvp(c->program, (char *const *)args);
        fprintf(stderr, "sdboot: %s: %s\n", c->program, strerror(errno));
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        unlink(out);
        tool_die("%s does not compile (-x '%s' leaves it as it is)", source, shown);
    }
    bool there = tool_read(out, UINT32_MAX - 1u, text);
    unlink(out);
    if (!there) {
        tool_die("%s: it is gone", out);
    }
    free(march);
    free(shown);
    free(source);
}

void package_write(const char *out, const char *folder, char *const *paths, size_t count,
                   const char *version, const struct package_compiler *compiler, bool folders) {
    static const char version_name[] = "app/" SDB_VERSION_FILE;
    struct package_list list = {0};
    for (size_t i = 0; i < count; i++) {
        char *name = plain(paths[i]);
        list_tree(&list, folder, name);
        free(name);
    }
    bool has_version = false;
    for (size_t i = 0; i < list.count; i++) {
        has_version |= strcmp(list.names[i], version_name) == 0;
    }
    if (!has_version) {
        list_add(&list, tool_format("%s", version_name));
    }
    if (folders) {
        list_folders(&list);
    }
    compile_names(&list, compiler);
    qsort(list.names, list.count, sizeof *list.names, by_name);

    struct archive *a = archive_write_new();
    if (a == NULL) {
        tool_die("out of memory");
    }
    // pax only where ustar can't say it: boards read both.
    archive_write_set_format_pax_restricted(a);
    archive_write_set_options(a, "hdrcharset=UTF-8");
    check_archive(a, out, archive_write_open_filename(a, out));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.names[i];
        if ((i > 0 && strcmp(name, list.names[i - 1]) == 0) || // named twice
            strcmp(name, "app/" SDB_MANIFEST_FILE) == 0) {     // a board's own
            continue;
        }
        bool is_folder = name[strlen(name) - 1] == '/';
        struct tool_text text = {0};
        if (!has_version && strcmp(name, version_name) == 0) {
            text.data = tool_format("%s\n", version);
            text.len = strlen(text.data);
        } else if (!is_folder) {
            char *path = tool_format("%s/%s", folder, name);
            if (access(path, F_OK) != 0 && compiler->program != NULL) {
                compile(compiler, path, name, &text);
            } else if (!tool_read(path, UINT32_MAX - 1u, &text)) {
                tool_die("%s: it is gone", path);
            }
            free(path);
        }
        add_entry(a, out, name, is_folder, &text);
        free(text.data);
    }
    check_archive(a, out, archive_write_close(a));
    archive_write_free(a);
    for (size_t i = 0; i < list.count; i++) {
        free(list.names[i]);
    }
    free(list.names);
}
