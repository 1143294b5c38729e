#!/bin/bash
# Format, static analysis, and the warnings of two compilers as errors.
set -eu
cd "$(dirname "$0")/.."
core=(core/*.c)
echo "lint: clang-format"
clang-format --dry-run -Werror $(git ls-files '*.c' '*.h')
for cc in gcc clang; do
    echo "lint: $cc -Wall -Wextra -Werror"
    for file in "${core[@]}"; do
        $cc -std=c99 -Os -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -fsyntax-only "$file"
    done
done
echo "lint: cppcheck"
cppcheck --quiet --std=c99 --enable=warning,performance,portability --error-exitcode=1 \
    --suppress=missingIncludeSystem --inline-suppr core
echo "lint: the core has no memory allocation, no input or output"
if grep -nE '\b(malloc|calloc|realloc|free|printf|fopen|static [a-z_0-9 ]+ [a-z_]+ *=)\b *\(' "${core[@]}"; then
    exit 1
fi
echo "lint: passed"
