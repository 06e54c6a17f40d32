#!/usr/bin/env bash
# Conformance, benches, tuning and the PyTorch baseline on a Linux x64 machine that has a GPU driver and nothing else. Packed
# beside gpu-bench.tar.gz by `npm run pack:gpu`; README.md of bench/gpu says more.
#
# Usage: bash run.sh [options]
#   --out FOLDER      where rows (JSON lines) and the log go (default ./gpu-results); steps done there are not done again
#   --adapter NAME    hardware (default), lavapipe, or a part of an adapter's name, such as SwiftShader
#   --steps LIST      some of the steps, by commas (default: all, in this order):
#                     conformance,bench-f32,bench-f16,bench-bf16,linear-f32,linear-f16,linear-bf16,
#                     sweep-f32,sweep-f16,sweep-bf16,tune-f32,tune-f16,torch
#   --seconds N       time for this call in all (default 3600); a step that is cut off is done by the next call
#   --step-seconds N  time for each step (default 540)
#   --quick           small shapes and few checks: to see that everything works
#
# Ends with status 0 only if every step that was asked for is done.
set -euo pipefail

ALL=conformance,bench-f32,bench-f16,bench-bf16,linear-f32,linear-f16,linear-bf16
ALL+=,sweep-f32,sweep-f16,sweep-bf16,tune-f32,tune-f16,torch
out=$PWD/gpu-results adapter=hardware steps=$ALL seconds=3600 step_seconds=540 quick=0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

fail() {
  echo "run.sh: $*" >&2
  exit 2
}

while (($#)); do
  case $1 in
    --out | --adapter | --steps | --seconds | --step-seconds)
      (($# > 1)) || fail "$1 needs a value"
      declare "$(tr - _ <<<"${1#--}")=$2"
      shift 2
      ;;
    --quick) quick=1 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) fail "unknown option $1; --help lists the options" ;;
  esac
done
for name in seconds step_seconds; do
  [[ ${!name} =~ ^[1-9][0-9]*$ ]] || fail "--${name/_/-} must be a whole number above 0, not '${!name}'"
done
for step in ${steps//,/ }; do
  [[ ,$ALL, == *,"$step",* ]] || fail "there is no step '$step'; there are $ALL"
done

export PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A library that the machine has is left alone: the driver was made for it.
use_missing_libraries() {
  local library name known
  known=$(ldconfig -p 2>/dev/null || true)
  mkdir "$work/missing"
  for library in "$work"/lib/*.so*; do
    name=$(basename "$library")
    grep -q "^[[:space:]]*$name " <<<"$known" || ln -s "$library" "$work/missing/$name"
  done
  export LD_LIBRARY_PATH=$work/missing${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# The driver's manifest may lie where the Vulkan loader does not look; and no other driver is to be taken for the GPU's.
find_driver() {
  local manifest
  [[ $adapter == hardware && -z ${VK_DRIVER_FILES-} ]] || return 0
  manifest=$(find /usr /etc /opt -name 'nvidia_icd*.json' -print -quit 2>/dev/null || true)
  if [[ -n $manifest ]]; then export VK_DRIVER_FILES=$manifest; fi
}

describe_machine() {
  date -u +%FT%TZ
  uname -srm
  echo "processors: $(nproc); revision: $WEBGPU_LOSS_REVISION; adapter: $adapter; Vulkan driver: ${VK_DRIVER_FILES:-any}"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv || true
  fi
}

unfinished=()

# step NAME FILE COMMAND...: runs a step within its time. In the command @SECONDS@ stands for the time, @ROWS@ for the file of
# its rows, which are added to FILE once the step is done.
step() {
  local name=$1 file=$2 rows=$out/$1.part.jsonl left status=0
  shift 2
  [[ ,$steps, == *,"$name",* ]] || return 0
  if grep -qsx "$name" "$out/done.txt"; then
    echo "== $name: was done before"
    return 0
  fi
  left=$((seconds - SECONDS))
  ((left < step_seconds)) || left=$step_seconds
  if ((left < 10)); then
    echo "== $name: no time left"
    unfinished+=("$name")
    return 0
  fi
  echo "== $name: at most $left seconds"
  # These two go on from their rows; the others start anew.
  [[ $name == conformance || $name == torch ]] || rm -f "$rows"
  set -- "${@//@SECONDS@/$((left - 5))}"
  timeout --kill-after=10 "$left" "${@//@ROWS@/$rows}" || status=$?
  if ((status == 0)) && [[ ! -s $rows ]]; then
    echo "== $name: no rows"
    status=1
  fi
  if ((status)); then
    case $status in
      124 | 137) echo "== $name: OUT OF TIME; rows so far: $rows" ;;
      *) echo "== $name: FAILED with status $status; rows so far: $rows" ;;
    esac
    unfinished+=("$name")
    return 0
  fi
  cat "$rows" >>"$out/$file"
  rm "$rows"
  echo "$name" >>"$out/done.txt"
  echo "== $name: done"
}

main() {
  tar -C "$work" -xzf "$here/gpu-bench.tar.gz"
  WEBGPU_LOSS_REVISION=$(cat "$work/revision")
  export WEBGPU_LOSS_REVISION
  use_missing_libraries
  find_driver
  describe_machine

  local node=$work/node look=() checks=() kinds=() named=named large=large sweep=sweep dtype
  if ((quick)); then
    look=(--quick)
    checks=(--only 'plans: ')
    named=64x10,16x1000
    large=16x32x1000
    sweep=4x64
    kinds=(--shape 64x10 --op softmax)
  fi
  step conformance conformance.jsonl "$node" "$work/conformance.mjs" --adapter "$adapter" --golden "$work/golden" \
    --seconds @SECONDS@ --out @ROWS@ "${checks[@]}"
  for dtype in f32 f16 bf16; do
    step "bench-$dtype" bench.jsonl "$node" "$work/bench.mjs" --adapter "$adapter" --dtype "$dtype" \
      --shape "$named" --out @ROWS@ "${look[@]}"
  done
  for dtype in f32 f16 bf16; do
    step "linear-$dtype" bench.jsonl "$node" "$work/bench.mjs" --adapter "$adapter" --dtype "$dtype" \
      --op linearCrossEntropy,linearCrossEntropyGrad --shape "$large" --out @ROWS@ "${look[@]}"
  done
  for dtype in f32 f16 bf16; do
    step "sweep-$dtype" bench.jsonl "$node" "$work/bench.mjs" --adapter "$adapter" --dtype "$dtype" \
      --op softmax,logSumExp,crossEntropyGrad --shape "$sweep" --out @ROWS@ "${look[@]}"
  done
  for dtype in f32 f16; do
    step "tune-$dtype" "tune-$dtype.json" "$node" "$work/tune.mjs" --adapter "$adapter" --dtype "$dtype" \
      --out @ROWS@ "${kinds[@]}"
  done
  step torch torch.jsonl python3 "$work/torch_baseline.py" --seconds @SECONDS@ --out @ROWS@ "${look[@]}"

  if ((${#unfinished[@]})); then
    echo "NOT DONE: ${unfinished[*]}"
    return 1
  fi
  echo "All steps that were asked for are done."
}

# Not in a condition of the shell, where a failing command would not end it.
set +e
(set -e && main) 2>&1 | tee -a "$out/run.log"
exit "${PIPESTATUS[0]}"
