#!/bin/sh
# A worker that stays draws what a new process draws: with the networks of the job before, in another
# size, with a subject, from a picture.
. "$(dirname "$0")/lib.sh"

subject=$models/sd1-subject-elementwise.safetensors
if ! command -v python3 >/dev/null; then
    echo '1..0 # SKIP python3 is not installed'
    exit 0
fi

arguments() { # FILE, then the arguments: as a JSON array, as a plug-in hands them over
    python3 -c 'import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], "w"))' "$@"
}

cat >ask.py <<'END'
# SOCKET COMMAND ARGUMENTS: a job for the worker that waits there; its events
import socket
import sys
import time

for attempt in range(600):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(sys.argv[1])
        connection.sendall(f"{sys.argv[2]}\n{sys.argv[3]}\n".encode())
        events = connection.makefile().read()
        if events: # it may have been taking another connection
            print(events)
            break
    except OSError:
        pass
    time.sleep(0.1)
END

made_alike() { # COMMAND NAME, then options: by the worker that stays and by a new process
    command=$1
    name=$2
    shift 2
    set -- --model "$sd1" --steps 2 --seed 3 "$@"
    arguments "$work/files/$name.json" "$@" --output "$work/files/$name-stayed.png"
    python3 ask.py "$work/private/socket" "$command" "$work/files/$name.json" >"$name.said"
    run "$command" "$@" --output "$name-new.png"
    is 0 && grep -q '"event":"done"' "$name.said" && same "$name-stayed.png" "$name-new.png"
}
drawn_alike() { # NAME, then options
    made_alike generate "$@"
}
edited_alike() { # NAME, then options
    made_alike edit "$@" --image "$pictures/rgb8.png" --prompt 'a fox' --learn-steps 1 --shift kept.safetensors
}

mkdir -m 700 "$work/private"
sleep 1000 &
owner=$!
trap 'kill $owner 2>/dev/null; rm -rf "$work"' EXIT
arguments "$work/files/first.json" --model "$sd1" --steps 2 --seed 3 --prompt 'a fox' \
    --output "$work/files/first.png"
mkfifo input
"$svdiff" stay "$work/private/socket" "$owner" generate --worker --json \
    --arguments "$work/files/first.json" <input >first.said 2>"$work/err" &
worker=$!
exec 9>input
check 'another prompt' drawn_alike prompt --prompt 'a cat'
exec 9>&-
check 'without guidance' drawn_alike guidance --prompt 'a cat' --guidance 1
check 'another size' drawn_alike size --prompt 'a cat' --width 40 --height 64
check 'that size again' drawn_alike size-again --prompt 'a fox' --width 40 --height 64
check 'a subject' drawn_alike subject --prompt 'a fox' --subject "$subject"
check 'weaker' drawn_alike weaker --prompt 'a fox' --subject "$subject:0.5"
check 'weaker, another prompt' drawn_alike again --prompt 'a dog' --subject "$subject:0.5"
check 'without it' drawn_alike without --prompt 'a fox'
check 'from a picture' drawn_alike picture --prompt 'a fox' --init-image "$pictures/rgb8.png"
check 'an edit' edited_alike edit --target 'a cat'
check 'with its networks another one' edited_alike edit-again --target 'a dog' --invert-on prompt
check 'something beside it' edited_alike beside --target 'a fox on the left and a cat on the right'
check 'painted after that' drawn_alike after --prompt 'a fox' --subject "$subject:0.5"
check 'another prediction' drawn_alike v --prompt 'a fox' --prediction v
check 'which is another picture' differ v-new.png without-new.png
check 'another tokenizer' drawn_alike tokenizer --prompt 'a fox' --tokenizer "$models/sd2.tokenizer"
check 'and neither' drawn_alike neither --prompt 'a fox'
check 'all by one process' kill -0 "$worker"
kill "$owner"
check 'which leaves with its owner' wait "$worker"
check 'and takes its socket along' test ! -e "$work/private/socket"
end_tests
