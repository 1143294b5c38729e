#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything that the installed tool can do without a board, in an empty system.
set -eux
cd "$(mktemp -d)"
mkdir -p src/app
echo 'print(1)' >src/main.py
echo 'x = 1' >src/app/code.py
sdboot --version
for command in release rollout withdraw verify serve keygen sign card image sim fleet; do
    sdboot $command --help >/dev/null
done
sdboot keygen -W
sdboot release -v 0.0.1 -C src -o www -k sdboot.key app main.py
sdboot rollout -k sdboot.key 50 0.0.1 www
sdboot verify -p sdboot.pub www
for fs in fat littlefs; do
    sdboot image --size 16M --fs $fs --from src $fs.img
    sdboot card check $fs.img
    sdboot card check --json $fs.img >/dev/null
    sdboot card extract $fs.img -o $fs
    cmp src/app/code.py $fs/app/code.py
done
agent='sdboot/0.9 (esp32; 240ac4000110; 0.0.1; confirmed 0.0.1)'
echo "10.0.0.1 - - [25/Nov/2026:22:10:01 +0000] \"GET /versions HTTP/1.1\" 200 9 \"-\" \"$agent\"" >log
sdboot fleet --alert --html page.html log
sdboot serve -s -p 8123 -a 127.0.0.1 --ca ca.pem www >served &
server=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.5
    [ ! -s ca.pem ] || break
done
sdboot verify --ca ca.pem -p sdboot.pub https://localhost:8123
kill $server
wait $server
sdboot withdraw -k sdboot.key 0.0.1 www
