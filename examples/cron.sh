#!/bin/sh
# Sends what a shop has written down since the last time; for cron, such as
#
#     * * * * * /usr/local/lib/shop/cron.sh /etc/alipayhk/config.lua /var/spool/alipayhk
#
# FOLDER is where the shop puts files of JSON Lines: each is written under another name and then renamed to NAME.jsonl,
# so that none is half there. A file whose lines have all been accepted goes into FOLDER/done; one with a line that
# AlipayHK or the check refused goes into FOLDER/refused, where NAME.log says why; anything else is for the next time,
# which passes over what was accepted. Files go in the order of their names.
#
# Two never run at once: flock, of util-linux, holds the lock for as long as this runs, and the kernel gives it back
# whatever ends it.
set -u

config=${1:?usage: cron.sh CONFIG FOLDER}
folder=${2:?usage: cron.sh CONFIG FOLDER}

cd "$folder" || exit 2
exec 9> .lock
flock -n 9 || exit 0 # the one before is not done

mkdir -p done refused
for file in *.jsonl; do
    [ -e "$file" ] || continue # there is none
    name=${file%.jsonl}
    alipayhk send --config "$config" --journal "$name.journal" "$file" > "$name.log" 2>&1
    case $? in
    0) into=done ;;
    1) into=refused ;;
    *) cat "$name.log" >&2; exit 3 ;; # what comes after must not overtake it
    esac
    mv "$file" "$name.journal" "$name.log" "$into/"
done
