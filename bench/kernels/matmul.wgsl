// Products C = A Bᵀ as one writes them first, of rows that lie one after the other: a thread for each result, and the tiles of textbooks.

struct Params {
  rows: u32,
  columns: u32,
  depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(8, 8)
fn naive(@builtin(global_invocation_id) at: vec3<u32>) {
  if (at.y >= params.rows || at.x >= params.columns) {
    return;
  }
  var sum = 0.0;
  for (var k = 0u; k < params.depth; k++) {
    sum += a[at.y * params.depth + k] * b[at.x * params.depth + k];
  }
  c[at.y * params.columns + at.x] = sum;
}

const TILE: u32 = 16;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

// A workgroup a tile of 16 x 16 results, which brings 16 terms of its rows and columns into its memory at a time.
@compute @workgroup_size(TILE, TILE)
fn tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let row = group.y * TILE + lane.y;
  let column = group.x * TILE + lane.x;
  let column_to_bring = group.x * TILE + lane.y;
  var sum = 0.0;
  for (var first = 0u; first < params.depth; first += TILE) {
    let k = first + lane.x;
    tile_a[lane.y][lane.x] = 0.0;
    tile_b[lane.y][lane.x] = 0.0;
    if (k < params.depth && row < params.rows) {
      tile_a[lane.y][lane.x] = a[row * params.depth + k];
    }
    if (k < params.depth && column_to_bring < params.columns) {
      tile_b[lane.y][lane.x] = b[column_to_bring * params.depth + k];
    }
    workgroupBarrier();
    for (var i = 0u; i < TILE; i++) {
      sum += tile_a[lane.y][i] * tile_b[lane.x][i];
    }
    workgroupBarrier();
  }
  if (row < params.rows && column < params.columns) {
    c[row * params.columns + column] = sum;
  }
}
