// The kernels that one writes first: a workgroup a row, three passes over it: the maximum, the sum, the results.

override SIZE: u32 = 64;

struct Params {
  rows: u32,
  classes: u32,
  // Workgroups in a row of the grid.
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
// One value for each element, and one for each row.
@group(0) @binding(3) var<storage, read_write> elements: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_values: array<f32>;
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;

var<workgroup> partial: array<f32, SIZE>;

fn group_max(own: f32, lane: u32) -> f32 {
  partial[lane] = own;
  workgroupBarrier();
  for (var half = SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = max(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  let all = partial[0];
  workgroupBarrier();
  return all;
}

fn group_sum(own: f32, lane: u32) -> f32 {
  partial[lane] = own;
  workgroupBarrier();
  for (var half = SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  let all = partial[0];
  workgroupBarrier();
  return all;
}

fn row_of(group: vec3<u32>) -> u32 {
  return group.y * params.width + group.x;
}

fn row_max(row: u32, lane: u32) -> f32 {
  var own = -3.4e38;
  for (var c = lane; c < params.classes; c += SIZE) {
    own = max(own, logits[row * params.classes + c]);
  }
  return group_max(own, lane);
}

fn row_sum(row: u32, lane: u32, highest: f32) -> f32 {
  var own = 0.0;
  for (var c = lane; c < params.classes; c += SIZE) {
    own += exp(logits[row * params.classes + c] - highest);
  }
  return group_sum(own, lane);
}

@compute @workgroup_size(SIZE)
fn softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group);
  if (row >= params.rows) {
    return;
  }
  let highest = row_max(row, lane);
  let sum = row_sum(row, lane, highest);
  for (var c = lane; c < params.classes; c += SIZE) {
    let i = row * params.classes + c;
    elements[i] = exp(logits[i] - highest) / sum;
  }
}

@compute @workgroup_size(SIZE)
fn log_softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group);
  if (row >= params.rows) {
    return;
  }
  let highest = row_max(row, lane);
  let log_sum = log(row_sum(row, lane, highest));
  for (var c = lane; c < params.classes; c += SIZE) {
    let i = row * params.classes + c;
    elements[i] = logits[i] - highest - log_sum;
  }
}

@compute @workgroup_size(SIZE)
fn log_sum_exp(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group);
  if (row >= params.rows) {
    return;
  }
  let highest = row_max(row, lane);
  let sum = row_sum(row, lane, highest);
  if (lane == 0u) {
    row_values[row] = highest + log(sum);
  }
}

@compute @workgroup_size(SIZE)
fn cross_entropy(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group);
  if (row >= params.rows) {
    return;
  }
  let highest = row_max(row, lane);
  let sum = row_sum(row, lane, highest);
  if (lane == 0u) {
    row_values[row] = log(sum) + (highest - logits[row * params.classes + u32(targets[row])]);
  }
}

@compute @workgroup_size(SIZE)
fn cross_entropy_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group);
  if (row >= params.rows) {
    return;
  }
  let highest = row_max(row, lane);
  let sum = row_sum(row, lane, highest);
  let goal = u32(targets[row]);
  for (var c = lane; c < params.classes; c += SIZE) {
    let i = row * params.classes + c;
    elements[i] = (exp(logits[i] - highest) / sum - select(0.0, 1.0, c == goal)) / f32(params.rows);
  }
  if (lane == 0u) {
    row_values[row] = log(sum) + (highest - logits[row * params.classes + goal]);
  }
}

// The mean over the rows: one workgroup for all of them.
@compute @workgroup_size(SIZE)
fn mean(@builtin(local_invocation_index) lane: u32) {
  var own = 0.0;
  for (var row = lane; row < params.rows; row += SIZE) {
    own += row_values[row];
  }
  let sum = group_sum(own, lane);
  if (lane == 0u) {
    loss[0] = sum / f32(params.rows);
  }
}
