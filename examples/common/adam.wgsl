// One step of Adam (Kingma & Ba, 2015) over flat arrays, four numbers at a time.

struct Step {
  rate: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  // 1 / (1 - beta^t): the averages start at 0, this undoes their lag.
  correction1: f32,
  correction2: f32,
  // Length of the arrays in vec4.
  length: u32,
}

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> square: array<vec4f>;

@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // A stride over the whole grid, so that any length fits in one dispatch.
  for (var i = id.x; i < step.length; i += groups.x * 64u) {
    let g = gradient[i];
    let m = step.beta1 * mean[i] + (1.0 - step.beta1) * g;
    let v = step.beta2 * square[i] + (1.0 - step.beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    values[i] -= step.rate * (m * step.correction1) / (sqrt(v * step.correction2) + step.epsilon);
  }
}
