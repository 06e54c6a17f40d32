// A tile of 8 rows and 8 columns a thread, from what the workgroup has brought into its memory: ACROSS x DOWN threads, DEPTH terms at a time.
const TILE_ROWS: u32 = 8u * DOWN;
const TILE_COLUMNS: u32 = 8u * ACROSS;
const BLOCKS_DOWN: u32 = 2u * DOWN;
const BLOCKS_ACROSS: u32 = 2u * ACROSS;
const STEPS: u32 = DEPTH / 4u;

// Vectors of neighbouring blocks are neighbours, so that threads do not wait for each other at the same bank.
var<workgroup> tile_a: array<vec4<f32>, DEPTH * BLOCKS_DOWN>;
var<workgroup> tile_b: array<vec4<f32>, DEPTH * BLOCKS_ACROSS>;

// The last step of which A has something besides zeros, by its end.
var<workgroup> last_met: atomic<u32>;

fn tile_block_a(step: u32, block: u32) -> mat4x4<f32> {
  let at = step * 4u * BLOCKS_DOWN + block;
  return mat4x4<f32>(
    tile_a[at], tile_a[at + BLOCKS_DOWN], tile_a[at + 2u * BLOCKS_DOWN], tile_a[at + 3u * BLOCKS_DOWN]
  );
}

fn tile_block_b(step: u32, block: u32) -> mat4x4<f32> {
  let at = step * 4u * BLOCKS_ACROSS + block;
  return mat4x4<f32>(
    tile_b[at], tile_b[at + BLOCKS_ACROSS], tile_b[at + 2u * BLOCKS_ACROSS], tile_b[at + 3u * BLOCKS_ACROSS]
  );
}

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let task = task_of(group);
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  var c00 = mat4x4<f32>();
  var c01 = mat4x4<f32>();
  var c10 = mat4x4<f32>();
  var c11 = mat4x4<f32>();
  for (var k = task.start; k < task.end; k += DEPTH) {
    var met = false;
    // Neighbouring threads read neighbours in memory.
    for (var i = lane; i < STEPS * BLOCKS_DOWN; i += WIDTH) {
      let step = select(i / BLOCKS_DOWN, i % STEPS, A_BY_ROWS);
      let block = select(i % BLOCKS_DOWN, i / STEPS, A_BY_ROWS);
      let v = rest_a(block_a(task.row + 4u * block, k + 4u * step), k + 4u * step);
      let at = step * 4u * BLOCKS_DOWN + block;
      tile_a[at] = v[0];
      tile_a[at + BLOCKS_DOWN] = v[1];
      tile_a[at + 2u * BLOCKS_DOWN] = v[2];
      tile_a[at + 3u * BLOCKS_DOWN] = v[3];
      if (SKIPS_ZEROS) { met = met || !is_zero(v); }
    }
    if (SKIPS_ZEROS) {
      if (met) { atomicStore(&last_met, k + DEPTH); }
      workgroupBarrier();
    }
    // The same for all threads, for none is at the next step before all are at the barrier below.
    let counts = !SKIPS_ZEROS || atomicLoad(&last_met) == k + DEPTH;
    if (counts) {
      for (var i = lane; i < STEPS * BLOCKS_ACROSS; i += WIDTH) {
        let step = select(i % STEPS, i / BLOCKS_ACROSS, B_BY_ROWS);
        let block = select(i / STEPS, i % BLOCKS_ACROSS, B_BY_ROWS);
        let v = rest_b(block_b(k + 4u * step, task.column + 4u * block), k + 4u * step);
        let at = step * 4u * BLOCKS_ACROSS + block;
        tile_b[at] = v[0];
        tile_b[at + BLOCKS_ACROSS] = v[1];
        tile_b[at + 2u * BLOCKS_ACROSS] = v[2];
        tile_b[at + 3u * BLOCKS_ACROSS] = v[3];
      }
    }
    workgroupBarrier();
    if (counts) {
      for (var step = 0u; step < STEPS; step++) {
        let a0 = tile_block_a(step, down);
        let a1 = tile_block_a(step, down + DOWN);
        let b0 = tile_block_b(step, across);
        let b1 = tile_block_b(step, across + ACROSS);
        c00 += b0 * a0;
        c01 += b1 * a0;
        c10 += b0 * a1;
        c11 += b1 * a1;
      }
    }
    workgroupBarrier();
  }
  let row = task.row + 4u * down;
  let column = task.column + 4u * across;
  store_block(task, row, column, c00);
  store_block(task, row, column + 4u * ACROSS, c01);
  store_block(task, row + 4u * DOWN, column, c10);
  store_block(task, row + 4u * DOWN, column + 4u * ACROSS, c11);
}
