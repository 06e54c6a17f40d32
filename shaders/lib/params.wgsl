// One call's numbers. A dispatch works on `rows` rows; the first of them is row `first_row` of the whole call.
struct Params {
  rows: u32,
  first_row: u32,
  classes: u32,       // length of a row
  inner: u32,         // distance between two classes of a row
  grid_width: u32,    // workgroups in a line of the two-dimensional grid
  segment: u32,       // classes in a segment of a split row
  segments: u32,
  extent: u32,        // census: the number of classes that a target may name
  ignore_index: u32,
  ignores: u32,       // 0 where no target can equal ignore_index
  records: u32,       // split row: where the records of the rows begin, behind the statistics of their segments
  wanted: u32,        // largest logits of a row that are asked for, how many earlier rounds have found, and how many one round finds
  taken: u32,
  listed: u32,
  grad_output: f32,
  divisor: f32,
  keep: f32,          // 1 - label smoothing
  spread: f32,        // label smoothing / classes
  prescale: f32,      // reduce: a power of two that keeps the sum of losses in range, and its inverse
  postscale: f32,
  gap_scale: f32,     // 1 / temperature, where it can be applied to differences of logits
  chain: f32,         // 1 / temperature, for gradients
  cap: f32,           // softcap, and 1 / (softcap temperature)
  uncap: f32,
  z_loss: f32,
  gain: f32,          // applied twice to a divergence: the temperature, where it is to be multiplied by its square; else 1
  grad_filter: f32,   // gradients up to this share of their row's factor count as 0
  zero: u32,          // always 0: see shaders/arithmetic/reproducible.wgsl
  places: array<vec4<u32>, 8>, // per binding: first element, distance between rows
}

// This thread among those of its workgroup, for statistics that have a place for each in workgroup memory.
var<private> own_lane: u32;

const NO_CLASS: u32 = 0xffffffffu;

fn row_number(row: u32) -> u32 { return params.first_row + row; }
fn record_at(row: u32) -> u32 { return params.records + row_number(row) * ROW_WORDS; }
fn group_number(group: vec3<u32>) -> u32 { return group.y * params.grid_width + group.x; }
fn is_ignored(target_class: u32) -> bool { return params.ignores == 1u && target_class == params.ignore_index; }
fn lanes_inside(c: u32) -> vec4<bool> {
  return vec4<u32>(c, c + 1u, c + 2u, c + 3u) < vec4<u32>(params.classes);
}

// Coefficients of four classes: weight times probability. `likely`: the probability is not 0. `special`: an operand was not finite, so
// that `values` say nothing. Behind the end of the row both are empty.
struct Coefficients { values: vec4<f32>, likely: vec4<bool>, special: bool }

fn coefficients_inside(c: u32, weights: vec4<f32>, probs: vec4<f32>, special: bool) -> Coefficients {
  let inside = lanes_inside(c);
  return Coefficients(select(vec4<f32>(), keep4(weights * probs), inside), inside & (probs != vec4<f32>()), special);
}
