// Parts of the work, each alone: no kernel that needs them can be faster than they are.

// Threads in a workgroup.
override SIZE: u32 = 64;
// Loads of 16 bytes that each thread does, a workgroup apart.
override EACH: u32 = 1;
// How often the threads of a workgroup wait for each other.
override BARRIERS: u32 = 1;

struct Params {
  // Units of 16 bytes.
  count: u32,
  // Workgroups in a row of the grid.
  width: u32,
  // A sum that no data has: what is compared with it has to be computed, and is never stored.
  never: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<f32>>;

fn first_unit(group: vec3<u32>, lane: u32) -> u32 {
  return (group.y * params.width + group.x) * SIZE * EACH + lane;
}

fn use_sum(sum: vec4<f32>) {
  if (all(sum == vec4(params.never))) {
    destination[0] = sum;
  }
}

@compute @workgroup_size(SIZE)
fn reads(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4(0.0);
  let first = first_unit(group, lane);
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * SIZE;
    if (i < params.count) {
      sum += source[i];
    }
  }
  use_sum(sum);
}

@compute @workgroup_size(SIZE)
fn exps(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4(0.0);
  let first = first_unit(group, lane);
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * SIZE;
    if (i < params.count) {
      sum += exp(source[i]);
    }
  }
  use_sum(sum);
}

@compute @workgroup_size(SIZE)
fn exps_written(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = first_unit(group, lane);
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * SIZE;
    if (i < params.count) {
      destination[i] = exp(source[i]);
    }
  }
}

var<workgroup> groups: array<u32, SIZE>;

// What is stored before the barriers and loaded behind them keeps them from being taken out.
@compute @workgroup_size(SIZE)
fn barriers(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  groups[lane] = group.x;
  for (var k = 0u; k < BARRIERS; k++) {
    workgroupBarrier();
  }
  if (groups[SIZE - 1u - lane] != group.x) {
    destination[0] = vec4(params.never);
  }
}
