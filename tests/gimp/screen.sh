# A real GIMP with windows, on a screen in memory; sourced by what wants one. It sets
#   version            2: GIMP 2.10, 3: GIMP 3
#   plugin             the built plug-in
# before, and may set screen_size (WIDTHxHEIGHT), and with_brushes, where one paints. Then:
#   screen_missing     prints which program is not there, if one is not
#   screen_start       the screen, a window manager, and a profile in $folder with the plug-in
#   screen_key NAME K  opens the procedure by this key, "<Primary><Shift>F9"; before open_gimp
#   open_gimp FILE     GIMP with this picture
#   choose_layers      all layers of it are the chosen ones
#   ask EXPRESSION     what GIMP's Script-Fu gives; in GIMP 3 it knows the words of 2.10
#   shot FILE          a picture of the whole screen, once nothing moves in it
#   fits WINDOW        whether it is seen whole on a small screen, and nothing in it is cut off
#   hear, tells TEXT   whether the dialogs told this since `hear` (with G_MESSAGES_DEBUG=svdiff)
#   is_calm            whether GTK and GLib had nothing to complain of in the plug-in
#   opens KEY WINDOW   the key in GIMP's window, $image_window, until the dialog is there; hears before
#   closes WINDOW      by Escape
#   press WINDOW KEY.. the keys
#   click TYPE NAME WINDOW [N]    the mouse in the middle of what is called so, see widgets.c; a window
#                      that popped up is '^$'
#   click_at X Y TYPE NAME WINDOW the mouse there, from its corner; X and Y may be empty: the middle
#   choose ITEM NAME WINDOW [N]   by the mouse, of the list that is called so
#   sees TYPE NAME WINDOW [N]     whether it is there
#   soon, check, check_now, must, finish    see steps.sh
# All of it ends with the shell that sourced this.

gimp_here=$(cd "$(dirname "$0")" && pwd)
[ -f "$gimp_here/steps.sh" ] || gimp_here=$(cd "$gimp_here/../tests/gimp" && pwd)
. "$gimp_here/steps.sh"
gimp_program=gimp-2.10
[ "$version" = 2 ] || gimp_program=$(cd /usr/bin && ls | grep -x 'gimp-3\.[0-9]*' | head -1 || true)
built=$(dirname "$(realpath "$plugin")")/../../tests/gimp
question=$built/question
screen= manager= gimp=

screen_missing() {
    for program in "${gimp_program:-gimp-3.0}" Xvfb openbox xdotool import convert python3; do
        command -v "$program" >/dev/null || { echo "$program"; return; }
    done
}

screen_end() {
    tell_end $?
    [ -z "$checks" ] || shot_now "${shots:-$folder}/stopped.png" 2>/dev/null || true
    own= # its Script-Fu server does not leave with it
    [ -z "$gimp" ] || own=$(pgrep -P "$gimp" -f plug-ins/script-fu || true)
    for process in $own $gimp $manager $screen; do kill -9 "$process" 2>/dev/null || true; done
    rm -rf "$folder"
}

screen_start() {
    folder=$(mktemp -d)
    trap screen_end EXIT
    mkdir "$folder/data" "$folder/cache" "$folder/tmp" "$folder/widgets"
    mkdir -m 700 "$folder/runtime"
    export GIMP2_DIRECTORY="$folder/profile" GIMP3_DIRECTORY="$folder/profile"
    export XDG_DATA_HOME="$folder/data" XDG_CACHE_HOME="$folder/cache" TMPDIR="$folder/tmp"
    export XDG_RUNTIME_DIR="$folder/runtime"
    unset DISPLAY SVDIFF_DATA_DIR
    if [ -f "$built/widgets-gimp$version.so" ]; then
        GTK_MODULES=$built/widgets-gimp$version.so
        export GTK_MODULES SVDIFF_WIDGETS="$folder/widgets"
    fi
    # with a sanitizer: libraries of GIMP leave memory to the end of the process
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
    port=$(free_port)
    make_profile
    # no key repeats itself when the program that presses it is kept from letting it go; and the screen does
    # not begin anew, without the window manager, when one that only looked is the last to leave
    Xvfb -noreset -r -ardelay 600000 -displayfd 3 -screen 0 "${screen_size:-1280x900}x24" 3>"$folder/display" \
        >"$folder/screen" 2>&1 &
    screen=$!
    must [ -s "$folder/display" ]
    DISPLAY=:$(cat "$folder/display")
    export DISPLAY
    must manages
}

manages() { # one that did not come up is begun again
    if [ -z "$manager" ] || ! kill -0 "$manager" 2>/dev/null; then
        openbox >>"$folder/manager" 2>&1 &
        manager=$!
    fi
    xprop -root _NET_SUPPORTED 2>/dev/null | grep -q _NET_ACTIVE_WINDOW
}

make_profile() { # what is added must not be there before GIMP makes it
    if [ "$version" = 2 ]; then
        "$gimp_here/profile" 2 gimp-2.10 "$folder/profile" >"$folder/log" 2>&1
    else
        "$gimp_here/profile" 3 "gimp-console-${gimp_program#gimp-}" "$folder/profile" >"$folder/log" 2>&1
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

screen_theme() { # as GIMP calls it: in 2.10 Dark, Light, Gray or System, in 3 dark ...; empty: its own
    case $version$1 in
    2 | 3) ;;
    2*) echo "(theme \"$1\")" ;;
    3*) echo "(theme-color-scheme $1)" ;;
    esac >>"$folder/profile/gimprc"
}

screen_language() { # de; where there is no such locale, one that differs from C by its name alone
    export LANGUAGE="$1"
    if [ "$1" = de ]; then
        export LC_ALL=de_DE.UTF-8
        if ! locale -a | grep -qix 'de_DE.utf-\?8'; then
            mkdir -p "$folder/locale"
            cp -r /usr/lib/locale/C.utf8 "$folder/locale/de_DE.UTF-8"
            export LOCPATH="$folder/locale"
        fi
    fi
}

ask() { "$question" script "$port" "$1" 2>/dev/null; }
answers() { [ "$(ask '(+ 1 1)')" = 2 ]; }

open_gimp() {
    set -- "$1" "(plug-in-script-fu-server RUN-NONINTERACTIVE \"127.0.0.1\" $port \"$folder/server\")"
    no_brushes=-d
    [ -z "${with_brushes-}" ] || no_brushes=
    if [ "$version" = 2 ]; then
        gimp-2.10 $no_brushes -f -s "$1" -b "$2" >"$folder/gimp" 2>&1 </dev/null &
    else
        "$gimp_program" $no_brushes -f -s "$1" --batch-interpreter plug-in-script-fu-eval -b "$2" \
            >"$folder/gimp" 2>&1 </dev/null &
    fi
    gimp=$!
    must answers
    [ "$version" = 2 ] || ask "(load \"$gimp_here/gimp2-in-3.scm\")" >/dev/null
    must has_image
    ask '(begin (define image (vector-ref (cadr (gimp-image-list)) 0))
                (define layer (car (gimp-image-get-active-layer image))))' >/dev/null
}
choose_layers() { # all of the image
    if [ "$version" = 2 ]; then
        ask '(for-each (lambda (l) (gimp-item-set-linked l TRUE)) (vector->list (cadr (gimp-image-get-layers image))))'
    else
        ask '(gimp-image-set-selected-layers image (cadr (gimp-image-get-layers image)))'
    fi >/dev/null
}
has_image() { [ "$(ask '(car (gimp-image-list))')" = 1 ]; }

window() { xdotool search --onlyvisible --name "$1" 2>/dev/null | head -1; }
is_open() { [ -n "$(window "$1")" ]; }
is_closed() { [ -z "$(window "$1")" ]; }
fits() { # the window, with a frame and a panel around it, on a screen of 1024x600; and its texts in it
    eval "$(xdotool getwindowgeometry --shell "$(window "$1")" | grep -E '^(WIDTH|HEIGHT)=')"
    echo "$WIDTH x $HEIGHT" >"$folder/why"
    cut=$("$question" widgets cut "$1")
    echo "$cut" >>"$folder/why"
    [ "$WIDTH" -le 1014 ] && [ "$HEIGHT" -le 564 ] && [ -z "$cut" ]
}
activate() { timeout 10 xdotool windowactivate --sync "$(window "$1")" 2>/dev/null; }
press() {
    must activate "$1"
    shift
    xdotool key "$@"
}
plug_ins() { pgrep -P "$gimp" -f 'plug-ins/svdiff/svdiff' | wc -l; }
begins() { # KEY WINDOW N: a key can be lost while GIMP makes its windows; N processes were there before
    activate "$image_window" && xdotool key "$1" || return 1
    for tenth in $(seq 1800); do
        if is_open "$2"; then return 0; fi
        if [ "$tenth" -gt 50 ] && [ "$(plug_ins)" -le "$3" ]; then return 1; fi
        sleep 0.1
    done
    false
}
opens() {
    must is_open "$image_window"
    hear
    must begins "$1" "$2" "$(plug_ins)"
}
closes() {
    press "$1" Escape
    must is_closed "$1"
}

# ---- by the mouse ----

sees() { place=$("$question" place "$@"); }
rests() { # where a window that is being laid out has put it for good
    before=$place
    sees "$@" && [ "$place" = "$before" ]
}
point_at() { # X Y TYPE NAME WINDOW [N]: there, from the widget's corner; empty: its middle; negative:
    # from its other side
    x=$1
    y=$2
    shift 2
    must sees "$@"
    [ "$3" = '^$' ] || must activate "$3"
    must rests "$@"
    # shellcheck disable=SC2086 # four numbers
    set -- $place
    case $x in
    -*) x=$(($3 + x)) ;;
    esac
    xdotool mousemove $(($1 + ${x:-$3 / 2})) $(($2 + ${y:-$4 / 2}))
}
click_at() { point_at "$@" && xdotool click 1; }
click() { click_at '' '' "$@"; }
choose() { # ITEM NAME WINDOW [N]: an item of the list that is called so
    item=$1
    shift
    click_at -12 '' GtkComboBox "$@" # where one with an entry has its button
    click GtkMenuItem "$item" '^$'
}

# ---- what the dialogs tell ----

told=0 # lines that were read
hear() { told=$(wc -l <"$folder/gimp"); }
tells() { tail -n "+$((told + 1))" "$folder/gimp" | grep -q "svdiff.*$1"; }
is_calm() { ! grep -a '(svdiff:[0-9]*): G[A-Za-z-]*-\(CRITICAL\|WARNING\)' "$folder/gimp" >"$folder/why"; }
shot_now() { import -window root "$1"; }
shot() {
    shot_now "$folder/shot.ppm"
    for try in 1 2 3 4 5 6; do
        mv "$folder/shot.ppm" "$folder/before.ppm"
        shot_now "$folder/shot.ppm"
        if cmp -s "$folder/shot.ppm" "$folder/before.ppm"; then break; fi
    done
    convert "$folder/shot.ppm" "$1"
}
