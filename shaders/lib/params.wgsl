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
  grad_output: f32,
  divisor: f32,
  keep: f32,          // 1 - label smoothing
  spread: f32,        // label smoothing / classes
  prescale: f32,      // reduce: a power of two that keeps the sum of losses in range, and its inverse
  postscale: f32,
  places: array<vec4<u32>, 8>, // per binding: first element, distance between rows
}

fn row_number(row: u32) -> u32 { return params.first_row + row; }
fn group_number(group: vec3<u32>) -> u32 { return group.y * params.grid_width + group.x; }
fn is_ignored(target_class: u32) -> bool { return params.ignores == 1u && target_class == params.ignore_index; }
fn lanes_inside(c: u32) -> vec4<bool> {
  return vec4<u32>(c, c + 1u, c + 2u, c + 3u) < vec4<u32>(params.classes);
}

// Coefficients of four classes, 0 behind the end of the row. `special`: an operand was not finite, so that `values` say nothing.
struct Coefficients { values: vec4<f32>, special: bool }

fn inside(c: u32, values: vec4<f32>) -> vec4<f32> { return select(vec4<f32>(), values, lanes_inside(c)); }
