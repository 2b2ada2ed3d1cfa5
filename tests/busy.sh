#!/bin/sh
# Runs a command several times while two busy loops occupy two cores, and stops at the first failure. Usage:
#
#     sh tests/busy.sh 3 make test
#
# This shows that no test fails because a machine is slow. The loops end with this script, however it ends, or after six
# hours.
times=${1:?number of runs} && shift
loops=
for _ in 1 2; do
    timeout 6h sh -c 'while :; do :; done' &
    loops="$loops $!"
done
# shellcheck disable=SC2064,SC2086  # expand now, one word for each process
trap "kill $loops 2>/dev/null" EXIT
trap 'exit 130' INT TERM HUP
for run in $(seq "$times"); do
    start=$(date +%s)
    "$@" &
    command=$!
    # The shell handles a signal during wait, but not while a foreground command runs.
    trap 'kill $command 2>/dev/null; exit 130' INT TERM HUP
    wait "$command"
    code=$?
    echo "run $run of $times with both cores busy: exit $code after $(($(date +%s) - start)) s" >&2
    [ "$code" = 0 ] || exit "$code"
done
