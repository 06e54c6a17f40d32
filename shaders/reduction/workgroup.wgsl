// Lanes of a workgroup without subgroup operations.
struct Lane {
  @builtin(local_invocation_index) local: u32,
}

fn lane_index(lane: Lane) -> u32 { return lane.local; }

fn group_merge(stat: Stat, lane: Lane) -> Stat {
  tree[lane.local] = stat;
  return tree_merge(lane.local, WIDTH);
}
