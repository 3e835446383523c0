#!/bin/sh
# Why a device that is asked for by name cannot be used: one sentence each, of the module that brings it and of the machine
# that the rig plays; and what would fit into its memory.
. "$SVDIFF_TESTS_DIR/command/lib.sh"

on_cuda() { # NAME PATTERN [DEVICE OPTIONS...]: nothing is drawn, and the sentence matches
    name=$1
    pattern=$2
    device=${3:-cuda}
    [ $# -lt 3 ] && shift 2 || shift 3
    refuses "$name" 1 "$pattern" generate --model "$sd1" --prompt x --device "$device" --width 64 --height 64 --steps 1 \
        --quiet --output x.png "$@"
}

# ---- the module ----

built=$(dirname "$svdiff")
mkdir -p alone/engine alone/kernels
cp "$svdiff" alone/engine/svdiff
module=alone/kernels/svdiff-cuda.so
rig=$svdiff
svdiff=$PWD/alone/engine/svdiff

on_cuda 'no module' '^the CUDA module is not installed \(.*/svdiff-cuda.so\): install the package svdiff-cuda, or use the CPU'
echo 'no program' >$module
on_cuda 'a file that is none' '^the CUDA module cannot be loaded \(.*alone/kernels/svdiff-cuda.so.*\): install what it needs'
printf 'int svdiff_nothing;\n' | cc -shared -o $module -xc -
on_cuda 'another library' 'alone/kernels/svdiff-cuda.so is no CUDA module of this program: install the one of the same version'
version=$("$svdiff" --version | grep -Eo '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
other=$(echo "$version" | tr 0-9 1-90)
LC_ALL=C sed "s/svdiff $version/svdiff $other/g" "$built/svdiff-cuda.so" >$module
on_cuda 'of another version' "built with another version of this program \(svdiff $other, and not svdiff $version\)"

# ---- the machine ----

svdiff=$rig
export RIG_DRIVER=0
on_cuda 'no driver' '^there is no NVIDIA driver on this machine: install one, or use the CPU'
export RIG_DRIVER=12040
on_cuda 'a driver that is too old' \
    '^the NVIDIA driver is made for CUDA 12\.4, and CUDA 13\.0 is needed: install a newer driver, or use the CPU'
unset RIG_DRIVER
export RIG_DEVICES=0
on_cuda 'no device' '^the NVIDIA driver finds no device on this machine: use the CPU'
export RIG_DEVICES=-1
on_cuda 'a driver that does not answer' '^the NVIDIA driver does not answer \(.*\): use the CPU'
export RIG_DEVICES=2
on_cuda 'none of that number' '^there is no CUDA device 2: this machine has 2, numbered from 0' cuda:2
unset RIG_DEVICES
export RIG_BUSY=1
on_cuda 'a device that is taken' '^CUDA device 0 cannot be used \(.* busy or unavailable\): use the CPU'
unset RIG_BUSY
export RIG_CAPABILITY=70
on_cuda 'a device that is too old' '^CUDA device 0 \(.*\) has the compute capability 7\.0, .* made for [0-9.]+ and later'
export RIG_CAPABILITY=75
for precision in bf16 tf32; do
    on_cuda "without $precision" "^CUDA device 0 does not compute in $precision: use the precision f16 or f32" cuda \
        --precision $precision
done
unset RIG_CAPABILITY
export RIG_MEMORY=47
on_cuda 'no memory to begin with' '^CUDA device 0 has 47 of 47 MiB of its memory left, and 96 MiB are needed to begin with'
unset RIG_MEMORY

end_tests
