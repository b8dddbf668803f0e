/* Runs a fuzz target over files and folders, for compilers without libFuzzer: corpus and regressions are
 * tests. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Number of inputs run; -1 on an error, which was told. */
static long replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    struct stat information;
    if (!file || fstat(fileno(file), &information) != 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)information.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1); /* exactly as long, so that a sanitizer sees reading on */
    if (!data || fread(data, 1, size, file) != size) {
        perror(path);
        return -1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static long replay(const char *path) {
    struct stat information;
    if (stat(path, &information) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(information.st_mode))
        return replay_file(path);
    struct dirent **entries;
    int n = scandir(path, &entries, visible, alphasort);
    long total = n < 0 ? -1 : 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        long runs = total >= 0 ? replay(inner) : -1;
        total = runs >= 0 ? total + runs : -1;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return total;
}

int main(int n_arguments, char **arguments) {
    long total = 0;
    for (int i = 1; i < n_arguments; i++) {
        long runs = replay(arguments[i]);
        if (runs < 0)
            return 2;
        total += runs;
    }
    printf("%ld inputs\n", total);
    return total > 0 ? 0 : 2;
}
