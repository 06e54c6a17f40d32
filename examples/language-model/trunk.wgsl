// The trunk of the language model: what comes before the head.
//
//   hidden[n, d] = sum over k of positions[k, d] * embeddings[contexts[n, k], d]

struct Sizes {
  rows: u32,
  features: u32,
  // Tokens of a context.
  context: u32,
  classes: u32,
  // Of Adagrad.
  rate: f32,
}

const THREADS = 64u;
// The features that a workgroup's memory has room for.
const MOST_FEATURES = 1024u;
const EPSILON = 1e-8;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> embeddings: array<f32>; // [classes, features]
@group(0) @binding(2) var<storage, read> positions: array<f32>; // [context, features]
@group(0) @binding(3) var<storage, read> contexts: array<u32>; // [rows, context]
@group(0) @binding(4) var<storage, read_write> hidden: array<f32>; // [rows, features]

// A workgroup for each row.
@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  for (var d = thread; d < sizes.features; d += THREADS) {
    var sum = 0.0;
    for (var k = 0u; k < sizes.context; k++) {
      sum += positions[k * sizes.features + d] * embeddings[contexts[row * sizes.context + k] * sizes.features + d];
    }
    hidden[row * sizes.features + d] = sum;
  }
}

@group(0) @binding(5) var<storage, read> grad_hidden: array<f32>; // [rows, features]
@group(0) @binding(6) var<storage, read_write> grad_positions: array<f32>; // [context, features]

// A thread for each element of the positions.
@compute @workgroup_size(64)
fn position_gradient(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.context * sizes.features) {
    return;
  }
  let k = id.x / sizes.features;
  let d = id.x % sizes.features;
  var sum = 0.0;
  for (var row = 0u; row < sizes.rows; row++) {
    sum += embeddings[contexts[row * sizes.context + k] * sizes.features + d] * grad_hidden[row * sizes.features + d];
  }
  grad_positions[id.x] = sum;
}

@group(0) @binding(7) var<storage, read> tokens: array<u32>;
@group(0) @binding(8) var<storage, read> starts: array<u32>;
@group(0) @binding(9) var<storage, read> places: array<u32>;
// One number for each row of the embeddings: the sum of its gradients' mean squares.
@group(0) @binding(10) var<storage, read_write> squares: array<f32>;

var<workgroup> gradient: array<f32, MOST_FEATURES>;
var<workgroup> partial: array<f32, THREADS>;

// A workgroup for each token of the contexts; no other row of the embeddings is touched. Adagrad (Duchi et al., 2011) with one rate a row.
@compute @workgroup_size(64)
fn update_embeddings(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let token = tokens[group.x];
  var square = 0.0;
  for (var d = thread; d < sizes.features; d += THREADS) {
    var sum = 0.0;
    for (var i = starts[group.x]; i < starts[group.x + 1u]; i++) {
      let row = places[i] / sizes.context;
      let k = places[i] % sizes.context;
      sum += positions[k * sizes.features + d] * grad_hidden[row * sizes.features + d];
    }
    gradient[d] = sum;
    square += sum * sum;
  }
  partial[thread] = square;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
  }
  workgroupBarrier();
  let sum_of_squares = squares[token] + partial[0] / f32(sizes.features);
  let step = sizes.rate / (sqrt(sum_of_squares) + EPSILON);
  for (var d = thread; d < sizes.features; d += THREADS) {
    embeddings[token * sizes.features + d] -= step * gradient[d];
  }
  storageBarrier();
  if (thread == 0u) {
    squares[token] = sum_of_squares;
  }
}

@group(0) @binding(11) var<storage, read> weight: array<f32>; // [classes, features]
@group(0) @binding(12) var<storage, read> bias: array<f32>; // [classes]
@group(0) @binding(13) var<storage, read_write> logits: array<f32>; // [classes]

// The logits after the first row's context: a thread for each class, with a stride over the whole grid.
@compute @workgroup_size(64)
fn logits_of_first_row(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var class_index = id.x; class_index < sizes.classes; class_index += groups.x * THREADS) {
    var sum = bias[class_index];
    for (var d = 0u; d < sizes.features; d++) {
      sum += weight[class_index * sizes.features + d] * hidden[d];
    }
    logits[class_index] = sum;
  }
}
