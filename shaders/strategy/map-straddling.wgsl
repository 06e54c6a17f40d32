// The last kernel of any strategy, for rows that are no whole numbers of groups of four: as map.wgsl, but from group to group of the matrices.
// The one that a row shares with the next is written by the last workgroup of the first of both, from the records of both: always whole
// groups, each by one thread, for what two threads write to parts of a vector is undefined.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let unit = group_number(group);
  let row = unit / params.segments;
  if (row >= params.rows) { return; }
  let result = row_load(row);
  let segment = unit % params.segments;
  let head = (0u - first_element(row)) & 3u; // in the group that the row before writes
  let tail = params.classes - ((params.classes - head) & 3u);
  let start = segment * params.segment + head;
  emit_all(row, result, start + local * 4u, min(start + params.segment, tail), WIDTH * 4u);
  if (local == 0u && segment + 1u == params.segments && tail < params.classes) { emit_shared(row, result, tail); }
}

// The group from class c on, where the row ends. Each row's elements are computed as if it were all that row's; in place, from the same logits.
fn emit_shared(row: u32, r: Row, c: u32) {
  let next = row + 1u;
  let next_r = row_load(next);
  let next_c = c - params.classes; // wraps around
  let before = written(row, c);
  emit_any(row, r, c);
  let own = written(row, c);
  write(row, c, before);
  emit_any(next, next_r, next_c);
  var both = written(row, c);
  for (var i = 0u; i < RESULTS; i++) { both[i] = select(both[i], own[i], lanes_inside(c)); }
  write(row, c, both);
  let hit = row_hit(r);
  if (hit >= c && hit < params.classes) { emit_hit(row, r); }
  if (row_hit(next_r) < next_c + 4u) { emit_hit(next, next_r); }
}

fn emit_any(row: u32, r: Row, c: u32) {
  if (row_is_usual(r)) { emit(row, r, c); } else { emit_odd(row, r, c); }
}
