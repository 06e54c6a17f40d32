// A tile of 8 rows and 4 columns a thread, straight from the operands: where barriers are dear and caches near. Larger tiles are hardly
// faster there, and take drivers in software several times as long to compile.
const TILE_ROWS: u32 = 8u;
const TILE_COLUMNS: u32 = 4u * WIDTH;

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let task = task_of(group);
  let row = task.row;
  let column = task.column + 4u * lane;
  var c0 = mat4x4<f32>();
  var c1 = mat4x4<f32>();
  var k = task.start;
  for (; k + 4u <= task.end; k += 4u) {
    // What this reads of A is read again from a register or the cache: with nothing to skip, the loop stays as it is.
    if (SKIPS_ZEROS && is_zero(block_a(row, k)) && is_zero(block_a(row + 4u, k))) { continue; }
    let b = block_b(k, column);
    c0 += b * block_a(row, k);
    c1 += b * block_a(row + 4u, k);
  }
  if (k < task.end) {
    let b = rest_b(block_b(k, column), k);
    c0 += b * rest_a(block_a(row, k), k);
    c1 += b * rest_a(block_a(row + 4u, k), k);
  }
  store_block(task, row, column, c0);
  store_block(task, row + 4u, column, c1);
}
