// A tile of 8 rows and 4 columns a thread, straight from the operands: where barriers are dear and caches near. Of two drivers in software, one
// is faster with larger tiles and the other slower, and both take several times as long to compile them.
const TILE_ROWS: u32 = 8u;
const TILE_COLUMNS: u32 = 4u * WIDTH;

@compute @workgroup_size(WIDTH)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let task = task_of(group);
  let row = task.row;
  let column = task.column + 4u * lane.index;
  var c0 = mat4x4<f32>();
  var c1 = mat4x4<f32>();
  var k = task.start;
  for (; k + 4u <= task.end; k += 4u) {
    var a0 = shared_a(lane, row, k);
    var a1 = shared_a(lane, row + 4u, k);
    if (SKIPS_ZEROS) {
      // The same for all threads. A loop of its own on to the next block that counts: only loops are left early by drivers in software.
      while (is_zero(a0) && is_zero(a1) && k + 8u <= task.end) {
        k += 4u;
        a0 = shared_a(lane, row, k);
        a1 = shared_a(lane, row + 4u, k);
      }
      if (is_zero(a0) && is_zero(a1)) { continue; }
    }
    let b = block_b(k, column);
    c0 += b * a0;
    c1 += b * a1;
  }
  if (k < task.end) {
    let b = rest_b(block_b(k, column), k);
    c0 += b * rest_a(shared_a(lane, row, k), k);
    c1 += b * rest_a(shared_a(lane, row + 4u, k), k);
  }
  store_block(task, row, column, c0);
  store_block(task, row + 4u, column, c1);
}
