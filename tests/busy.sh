#!/bin/sh
# Runs a command while two busy loops occupy two cores, a number of times in a row, and ends at the first failure:
#
#     sh tests/busy.sh 3 make test
#
# is the proof that no test fails because a machine is slow. The loops end with this script, however it ends, and by
# themselves after six hours.
times=${1:?how often} && shift
loops=
for _ in 1 2; do
    timeout 6h sh -c 'while :; do :; done' &
    loops="$loops $!"
done
# shellcheck disable=SC2064,SC2086  # the processes of now, each a word of its own
trap "kill $loops 2>/dev/null" EXIT
trap 'exit 130' INT TERM HUP
for run in $(seq "$times"); do
    begun=$(date +%s)
    "$@" &
    command=$!
    # A signal is heard while one waits.
    trap 'kill $command 2>/dev/null; exit 130' INT TERM HUP
    wait "$command"
    code=$?
    echo "run $run of $times with both cores busy: exit $code after $(($(date +%s) - begun)) s" >&2
    [ "$code" = 0 ] || exit "$code"
done
