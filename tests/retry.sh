#!/bin/sh
# Runs a command up to three times, because package registries sometimes time out.
for try in 1 2 3; do
    "$@" && exit 0
    echo "try $try failed: $*" >&2
    sleep $((try * 5))
done
exit 1
