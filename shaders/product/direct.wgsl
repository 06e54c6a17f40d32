// A tile of 8 rows and 8 columns a thread, straight from the operands: where barriers are dear and caches near.
const TILE_ROWS: u32 = 8u;
const TILE_COLUMNS: u32 = 8u * WIDTH;

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let task = task_of(group);
  let row = task.row;
  let column = task.column + 4u * lane;
  let next = column + 4u * WIDTH;
  var c00 = mat4x4<f32>();
  var c01 = mat4x4<f32>();
  var c10 = mat4x4<f32>();
  var c11 = mat4x4<f32>();
  var k = task.start;
  for (; k + 4u <= task.end; k += 4u) {
    let a0 = block_a(row, k);
    let a1 = block_a(row + 4u, k);
    let b0 = block_b(k, column);
    let b1 = block_b(k, next);
    c00 += b0 * a0;
    c01 += b1 * a0;
    c10 += b0 * a1;
    c11 += b1 * a1;
  }
  if (k < task.end) {
    let a0 = rest_a(block_a(row, k), k);
    let a1 = rest_a(block_a(row + 4u, k), k);
    let b0 = rest_b(block_b(k, column), k);
    let b1 = rest_b(block_b(k, next), k);
    c00 += b0 * a0;
    c01 += b1 * a0;
    c10 += b0 * a1;
    c11 += b1 * a1;
  }
  store_block(task, row, column, c00);
  store_block(task, row, next, c01);
  store_block(task, row + 4u, column, c10);
  store_block(task, row + 4u, next, c11);
}
