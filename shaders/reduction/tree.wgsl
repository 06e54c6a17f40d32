// A binary tree over `count` (a power of two) statistics in workgroup memory, eight at a time: a barrier for every factor of eight.
// Level by level the results go behind the level they come from, so that no lane overwrites what another still reads.
var<workgroup> tree: array<Stat, WIDTH + WIDTH / 4u>;

fn tree2(at: u32) -> Stat { return stat_merge(tree[at], tree[at + 1u]); }
fn tree4(at: u32) -> Stat { return stat_merge(tree2(at), tree2(at + 2u)); }
fn tree8(at: u32) -> Stat { return stat_merge(tree4(at), tree4(at + 4u)); }

// Every lane gets the result. The barriers also separate all reads before the call from all writes after it.
fn tree_merge(lane: u32, leaves: u32) -> Stat {
  var at = 0u;
  var count = leaves;
  workgroupBarrier();
  while (count > 8u) {
    let next = at + count;
    count = count / 8u;
    if (lane < count) { tree[next + lane] = tree8(at + lane * 8u); }
    at = next;
    workgroupBarrier();
  }
  switch (count) {
    case 8u: { return tree8(at); }
    case 4u: { return tree4(at); }
    case 2u: { return tree2(at); }
    default: { return tree[at]; }
  }
}
