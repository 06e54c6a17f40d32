// Which tile of C a workgroup computes, and which terms of the sums.
struct Task { row: u32, column: u32, start: u32, end: u32, part: u32 }

// Neighbours share the longer of the two operands' lines while these are in the cache.
fn task_of(group: vec3<u32>) -> Task {
  let number = group_number(group);
  let tiles = params.tiles_down * params.tiles_across;
  let part = number / tiles;
  let tile = number % tiles;
  let down = select(tile / params.tiles_across, tile % params.tiles_down, DOWN_FIRST);
  let across = select(tile % params.tiles_across, tile / params.tiles_down, DOWN_FIRST);
  let start = part * params.part;
  return Task(down * TILE_ROWS, across * TILE_COLUMNS, start, min(start + params.part, params.depth), part);
}

// Blocks of 4 x 4 elements. Of A the rows are what a thread needs, four terms each; of B the columns, four of them for each term: then
// `block_b * block_a` adds up four terms of 4 x 4 elements of C, whose rows are the columns of that matrix.

fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  if (A_BY_ROWS) { return mat4x4<f32>(four_a(row, k), four_a(row + 1u, k), four_a(row + 2u, k), four_a(row + 3u, k)); }
  return transpose(mat4x4<f32>(four_a(k, row), four_a(k + 1u, row), four_a(k + 2u, row), four_a(k + 3u, row)));
}

fn block_b(k: u32, column: u32) -> mat4x4<f32> {
  if (B_BY_ROWS) {
    return mat4x4<f32>(counted_b(k, column), counted_b(k + 1u, column), counted_b(k + 2u, column), counted_b(k + 3u, column));
  }
  return transpose(mat4x4<f32>(
    four_b(column, k), four_b(column + 1u, k), four_b(column + 2u, k), four_b(column + 3u, k)
  ));
}

// A line of B that belongs to an ignored row of the call counts as 0, whatever it holds.
fn counted_b(k: u32, column: u32) -> vec4<f32> {
  let v = four_b(k, column);
  if (!SKIPS_TERMS) { return v; }
  return select(v, vec4<f32>(), is_ignored(min(k, params.depth - 1u)));
}

fn is_ignored(row: u32) -> bool {
  return params.ignores == 1u && get_targets(params.first_row + row) == params.ignore_index;
}

// Whether there is nothing in a block of A but 0. Not -0, and bits, for NaN is something: shaders/epilogue/cross-entropy-index.wgsl.
fn is_zero(a: mat4x4<f32>) -> bool { return all(bits_of_any(a) == vec4<u32>()); }
fn bits_of_any(a: mat4x4<f32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(a[0]) | bitcast<vec4<u32>>(a[1]) | bitcast<vec4<u32>>(a[2]) | bitcast<vec4<u32>>(a[3]);
}

// The last terms of a sum, where there are fewer than four.
fn rest_a(block: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  let inside = vec4<u32>(k, k + 1u, k + 2u, k + 3u) < vec4<u32>(params.depth);
  return mat4x4<f32>(
    select(vec4<f32>(), block[0], inside), select(vec4<f32>(), block[1], inside),
    select(vec4<f32>(), block[2], inside), select(vec4<f32>(), block[3], inside)
  );
}

fn rest_b(block: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(
    select(vec4<f32>(), block[0], k < params.depth), select(vec4<f32>(), block[1], k + 1u < params.depth),
    select(vec4<f32>(), block[2], k + 2u < params.depth), select(vec4<f32>(), block[3], k + 3u < params.depth)
  );
}

fn store_block(task: Task, row: u32, column: u32, c: mat4x4<f32>) {
  store_row(task, row, column, c[0]);
  store_row(task, row + 1u, column, c[1]);
  store_row(task, row + 2u, column, c[2]);
  store_row(task, row + 3u, column, c[3]);
}

fn store_row(task: Task, row: u32, column: u32, sums: vec4<f32>) {
  if (row >= params.rows || column >= params.columns) { return; }
  var v = sums;
  if (BIASED) { v += four_bias(0u, column); }
  if (SKIPS_ROWS) { v = select(v, vec4<f32>(), is_ignored(row)); }
  store_four(task.part * params.part_stride + place_c(row) + column, column, v);
}
