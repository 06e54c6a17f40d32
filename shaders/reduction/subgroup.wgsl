// Lanes of a workgroup, the low levels of the tree by subgroup shuffles. A lane is numbered by its subgroup, since WGSL promises no
// mapping from local index to subgroup lane; so the tree, and with it every bit of the result, is that of workgroup.wgsl.
// SUBGROUP is the smallest size the device may use: with larger ones the shuffles stay within aligned parts of them.
struct Lane {
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) within: u32,
  @builtin(subgroup_size) size: u32,
}

fn lane_index(lane: Lane) -> u32 { return lane.subgroup * lane.size + lane.within; }

fn group_merge(stat: Stat, lane: Lane) -> Stat {
  let index = lane_index(lane);
  var merged = stat;
  for (var distance = 1u; distance < SUBGROUP; distance = distance * 2u) {
    merged = stat_merge(merged, stat_shuffle(merged, distance));
  }
  if (index % SUBGROUP == 0u) { tree[index / SUBGROUP] = merged; }
  return tree_merge(index, WIDTH / SUBGROUP);
}
