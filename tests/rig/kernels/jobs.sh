#!/bin/sh
# What jobs on CUDA's table leave, beside the CPU's: a run that goes on with the other device.
. "$SVDIFF_TESTS_DIR/command/lib.sh"

# --precision: both devices compute in the same; then a checkpoint is of both
learn_on() { # DEVICE STEPS OUTPUT OPTIONS...
    device=$1
    steps=$2
    output=$3
    shift 3
    learn --device "$device" --precision f32 --prompt '[V] dog' --image "$pictures/rgb8.png" \
        --prior-weight 0 --steps "$steps" --output "$output" "$@"
}

# how far the shifts of two subjects and their losses are apart, relative to the second: at most
near() { # FILE OTHER BOUND
    python3 -c '
import array, csv, json, math, struct, sys
def shifts(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__")
    return [x for name in sorted(header)
            for x in array.array("f", data[8 + n + header[name]["data_offsets"][0]:8 + n + header[name]["data_offsets"][1]])]
def losses(path):
    return [float(row["loss"]) for row in csv.DictReader(open(path + ".csv"))]
for read in shifts, losses:
    x, y = read(sys.argv[1]), read(sys.argv[2])
    assert len(x) == len(y) > 0
    apart = math.dist(x, y) / math.hypot(*y)
    print("#", read.__name__, apart)
    assert apart <= float(sys.argv[3])
' "$@"
}

learn_on cpu 3 cpu.safetensors
check 'the CPU alone' is 0
learn_on cuda 3 cuda.safetensors
check 'the device alone' is 0
check 'both learn the same' near cuda.safetensors cpu.safetensors 1e-3
learn_on cuda 3 again.safetensors
check 'the device learns the same bytes again' same again.safetensors cuda.safetensors

learn_on cpu 1 both.safetensors
learn_on cuda 2 both.safetensors --resume
check "the device goes on with the CPU's checkpoint" is 0
check 'from where it was' test "$(metadata both.safetensors.resume step)" = 2
learn_on cpu 3 both.safetensors --resume
check "the CPU goes on with the device's" is 0
check 'what they learned in turns' near both.safetensors cpu.safetensors 1e-3

learn_on cuda 2 stopped.safetensors
learn_on cuda 3 stopped.safetensors --resume
check 'the device goes on with its own' same stopped.safetensors cuda.safetensors

# ---- noise ----

for device in cpu cuda; do
    generate --device $device --precision f32 --prompt x --sampler euler-a --steps 2 --seed 7 --trace $device.trace \
        --output $device.png
    check "$device draws with a sampler that adds noise" is 0
done
check 'of the same bits on both' python3 -c '
import json, struct, sys
def noise(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack_from("<Q", data)
    first, last = json.loads(data[8:8 + n])["step_noise.0"]["data_offsets"]
    return data[8 + n + first:8 + n + last]
assert noise("cpu.trace") == noise("cuda.trace") != bytes(len(noise("cpu.trace")))
'

# ---- memory and a device that is lost ----

# 96 MiB are the device's own; the run takes a few more
export RIG_MEMORY=97
learn_on cuda 3 small.safetensors
check 'too little memory is told before the run' one_sentence \
    '^[0-9.]+ GiB of memory are needed and [0-9.]+ GiB are available on the device cuda:0; .*--device cpu'
check 'and nothing is written' test ! -e small.safetensors
# what is before the first step needs as much of each batch: only a large one needs more than that
export RIG_MEMORY=112000K
learn_on cuda 1 small.safetensors --batch 16 --accumulate 2 --size 128
check 'and what would fit' one_sentence \
    'or use --batch 1 --accumulate 32 \([0-9.]+ GiB\), --size 64 \([0-9.]+ GiB\) or --device cpu'
export RIG_MEMORY=100500K
run edit --model "$sd1" --device cuda --precision f32 --image "$pictures/rgb8.png" --prompt dog --target cat --width 64 \
    --height 64 --learn-steps 1 --steps 1 --quiet --output edited.png
check 'of an edit no option of learning is named' one_sentence \
    'close what uses it, or use a device with more memory or --device cpu\.$'
export RIG_MEMORY=128
learn_on cuda 3 small.safetensors
check 'as much memory as it takes is enough' same small.safetensors cuda.safetensors
unset RIG_MEMORY

learn_on cuda 6 whole.safetensors
export RIG_LOST=14000
learn_on cuda 6 lost.safetensors
unset RIG_LOST
check 'a device that is lost ends the run' is 1
check 'with a sentence' one_sentence \
    '^The device cuda failed: an illegal memory access was encountered \(in [a-z_]+ or before it\)'
steps=$(metadata lost.safetensors.resume step)
check 'what was learned is kept' test "$steps" -ge 1 -a "$steps" -lt 6
check 'and the subject with it' test "$(metadata lost.safetensors steps)" = "$steps"
cp lost.safetensors.resume copy
learn_on cuda 6 lost.safetensors --resume
check 'the device goes on as if nothing had been' same lost.safetensors whole.safetensors
cp copy lost.safetensors.resume
learn_on cpu 6 lost.safetensors --resume
check 'or the CPU does' near lost.safetensors whole.safetensors 1e-3

end_tests
