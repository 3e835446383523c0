# A real GIMP with windows, on a screen in memory; sourced by what wants one. It sets
#   version            2: GIMP 2.10, 3: GIMP 3
#   plugin             the built plug-in
# before, and may set screen_size (WIDTHxHEIGHT). Then:
#   screen_missing     prints which program is not there, if one is not
#   screen_start       the screen, a window manager, and a profile in $folder with the plug-in
#   screen_key NAME K  opens the procedure by this key, "<Primary><Shift>F9"; before open_gimp
#   open_gimp FILE     GIMP with this picture
#   ask EXPRESSION     what GIMP's Script-Fu gives; in GIMP 3 it knows the words of 2.10
#   shot FILE          a picture of the whole screen
#   check NAME C...    a case of TAP: whether the command C is true; $checks counts, $failed is 1 then
#   must C...          a step without which the rest would only wait
#   hear, tells TEXT   whether the dialogs told this since `hear` (with G_MESSAGES_DEBUG=svdiff)
#   click NAME X Y     the mouse, from the window's corner; negative: from the corner opposite
# All of it ends with the shell that sourced this.

gimp_here=$(cd "$(dirname "$0")" && pwd)
[ -f "$gimp_here/ask" ] || gimp_here=$(cd "$gimp_here/../tests/gimp" && pwd)
gimp_program=gimp-2.10
[ "$version" = 2 ] || gimp_program=$(cd /usr/bin && ls | grep -x 'gimp-3\.[0-9]*' | head -1 || true)
port=$((20000 + $$ % 10000))
screen= manager= gimp=

screen_missing() {
    for program in "${gimp_program:-gimp-3.0}" Xvfb openbox xdotool import convert python3; do
        command -v "$program" >/dev/null || { echo "$program"; return; }
    done
}

screen_end() {
    for process in $gimp $manager $screen; do kill -9 "$process" 2>/dev/null || true; done
    rm -rf "$folder"
}

within() { # tenths of a second, then a command that must become true
    tenths=$1
    shift
    for tenth in $(seq "$tenths"); do
        if "$@"; then return 0; fi
        sleep 0.1
    done
    "$@"
}

screen_start() {
    folder=$(mktemp -d)
    trap screen_end EXIT
    mkdir "$folder/data" "$folder/cache" "$folder/tmp"
    mkdir -m 700 "$folder/runtime"
    export GIMP2_DIRECTORY="$folder/profile" GIMP3_DIRECTORY="$folder/profile"
    export XDG_DATA_HOME="$folder/data" XDG_CACHE_HOME="$folder/cache" TMPDIR="$folder/tmp"
    export XDG_RUNTIME_DIR="$folder/runtime"
    unset DISPLAY
    # with a sanitizer: libraries of GIMP leave memory to the end of the process
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
    make_profile
    Xvfb -displayfd 3 -screen 0 "${screen_size:-1280x900}x24" 3>"$folder/display" >"$folder/screen" 2>&1 &
    screen=$!
    within 100 [ -s "$folder/display" ]
    DISPLAY=:$(cat "$folder/display")
    export DISPLAY
    openbox >"$folder/manager" 2>&1 &
    manager=$!
    within 100 manages
}

manages() { xprop -root _NET_SUPPORTED 2>/dev/null | grep -q _NET_ACTIVE_WINDOW; }

make_profile() { # GIMP makes it; what is added must not be there before
    if [ "$version" = 2 ]; then
        timeout 120 gimp-2.10 -i -d -f -b '(gimp-quit 0)' >"$folder/log" 2>&1 </dev/null || true
    else
        timeout 120 "gimp-console-${gimp_program#gimp-}" -i -d -f \
            --batch-interpreter plug-in-script-fu-eval -b 0 --quit >"$folder/log" 2>&1 </dev/null || true
        echo '(file-version 1)' >"$folder/profile/shortcutsrc"
        # windows that would lie over the image
        printf '(show-welcome-dialog no)\n(color-profile-policy keep)\n(check-updates no)\n' \
            >>"$folder/profile/gimprc"
    fi
    mkdir -p "$folder/profile/plug-ins/svdiff"
    ln -s "$plugin" "$folder/profile/plug-ins/svdiff/svdiff"
}

screen_key() {
    if [ "$version" = 2 ]; then
        echo "(gtk_accel_path \"<Actions>/plug-in/$1\" \"$2\")" >>"$folder/profile/menurc"
    else
        echo "(action \"$1\" \"$(echo "$2" | sed 's/<Primary>/<primary>/; s/<Shift>/<shift>/')\")" >>"$folder/profile/shortcutsrc"
    fi
}

ask() { python3 "$gimp_here/ask" "$port" "$1" 2>/dev/null; }
answers() { [ "$(ask '(+ 1 1)')" = 2 ]; }

open_gimp() {
    set -- "$1" "(plug-in-script-fu-server RUN-NONINTERACTIVE \"127.0.0.1\" $port \"$folder/server\")"
    if [ "$version" = 2 ]; then
        gimp-2.10 -d -f -s "$1" -b "$2" >"$folder/gimp" 2>&1 </dev/null &
    else
        "$gimp_program" -d -f -s "$1" --batch-interpreter plug-in-script-fu-eval -b "$2" \
            >"$folder/gimp" 2>&1 </dev/null &
    fi
    gimp=$!
    within 1800 answers
    [ "$version" = 2 ] || ask "(load \"$gimp_here/gimp2-in-3.scm\")" >/dev/null
    within 300 has_image
    ask '(begin (define image (vector-ref (cadr (gimp-image-list)) 0))
                (define layer (car (gimp-image-get-active-layer image))))' >/dev/null
}
has_image() { [ "$(ask '(car (gimp-image-list))')" = 1 ]; }

window() { xdotool search --onlyvisible --name "$1" 2>/dev/null | head -1; }
is_open() { [ -n "$(window "$1")" ]; }
is_closed() { [ -z "$(window "$1")" ]; }
activate() { timeout 10 xdotool windowactivate --sync "$(window "$1")" 2>/dev/null; }
press() { # window name, keys
    within 100 activate "$1"
    shift
    xdotool key "$@"
}
click() {
    within 100 activate "$1"
    eval "$(xdotool getwindowgeometry --shell "$(window "$1")" | grep -E '^(WIDTH|HEIGHT)=')"
    x=$2
    y=$3
    [ "$x" -ge 0 ] || x=$((WIDTH + x))
    [ "$y" -ge 0 ] || y=$((HEIGHT + y))
    xdotool mousemove --window "$(window "$1")" "$x" "$y" click 1
}
checks=0
failed=0
check() {
    checks=$((checks + 1))
    name=$1
    shift
    if "$@"; then
        echo "ok $checks - $name"
    else
        echo "not ok $checks - $name"
        failed=1
    fi
}
must() {
    "$@" && return
    shot "${shots:-$folder}/stopped.png"
    check "before going on: $*" false
    exit 1
}
told=0 # lines that were read
hear() { told=$(wc -l <"$folder/gimp"); }
tells() { tail -n "+$((told + 1))" "$folder/gimp" | grep -q "svdiff.*$1"; }
shot() { import -window root "$1"; }
