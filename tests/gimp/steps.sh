# Waiting, and cases of TAP; sourced by tests that have a GIMP at work, with their files in $folder and
# what GIMP says in $folder/gimp.
#   soon C...           waits until the command C is true
#   check NAME C...     a case: whether C is true soon; $checks counts, $failed is 1 if one was not
#   check_now NAME C... whether C is true now; also for what is to be done once. $folder/why may tell
#   must C...           waits for what the rest needs, and ends the test where it does not come
#   finish              says how many cases there were, and ends
#   tell_end STATUS     for the test's trap
#   free_port           prints one that nobody listens at: several tests run at a time
# No wait has a limit of its own, and nothing waits without looking: machines are slow, and full.

patience=180 # seconds
soon() { # what it waits for waits for nothing itself
    until=$(($(date +%s) + patience))
    until "$@"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 0.1
    done
}

checks=0
failed=0
step='its begin'
case_is() { # name, whether it was as it should be; what was wrong may be in a file
    checks=$((checks + 1))
    step=$1
    if [ "$2" = 0 ]; then
        echo "ok $checks - $1"
        rm -f "$folder/why"
    else
        echo "not ok $checks - $1"
        { cat "$folder/why" || tail -n 4 "$folder/gimp"; } 2>/dev/null | sed 's/^/# /'
        rm -f "$folder/why"
        failed=1
        patience=20 # what follows from it would wait as long, too
    fi
}
check_now() {
    case_name=$1
    shift
    if "$@"; then case_is "$case_name" 0; else case_is "$case_name" 1; fi
}
check() {
    case_name=$1
    shift
    check_now "$case_name" soon "$@"
}
must() {
    soon "$@" && return
    step="waited for: $*"
    exit 1
}
finish() {
    echo "1..$checks"
    checks=
    exit $failed
}
tell_end() { # STATUS: whatever ends the test before `finish` has to be seen; for its trap
    [ -n "$checks" ] || return 0
    echo "not ok $((checks + 1)) - the test came to its end ($1; $step)"
    tail -n 12 "$folder/gimp" 2>/dev/null | sed 's/^/# /'
}
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
