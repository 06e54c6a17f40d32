// One dispatch of a product C = A B: sums of `depth` terms, for `rows` x `columns` elements.
struct Params {
  rows: u32,
  columns: u32,
  depth: u32,
  part: u32,          // terms of a sum that one workgroup adds up; a multiple of 4
  tiles_down: u32,    // tiles of C
  tiles_across: u32,
  grid_width: u32,    // workgroups in a line of the two-dimensional grid
  adds: u32,          // 1: C is added to, 0: written over
  part_stride: u32,   // elements of C from one part of the sums to the next
  first_row: u32,     // of the call, for what has a value for each row
  ignore_index: u32,
  ignores: u32,
  a_lines: u32,       // lines of the operands, and elements of a line that may be read
  a_length: u32,
  b_lines: u32,
  b_length: u32,
  unused: array<vec4<u32>, 3>,
  places: array<vec4<u32>, 8>, // per binding: first element, distance between lines
}

fn group_number(group: vec3<u32>) -> u32 { return group.y * params.grid_width + group.x; }
