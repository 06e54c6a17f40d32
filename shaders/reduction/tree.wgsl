// A binary tree over the first `leaves` (a power of two) statistics in workgroup memory. A lane takes eight neighbours at a time, three
// levels between two barriers, in place; loops keep the code to a single merge.
var<workgroup> tree: array<Stat, WIDTH>;

// Every lane gets the result.
fn tree_merge(lane: u32, leaves: u32) -> Stat {
  for (var span = 1u; span < leaves; span = span * 8u) {
    workgroupBarrier();
    let first = lane * span * 8u;
    let end = min(first + span * 8u, leaves);
    for (var distance = span; first + distance < end; distance = distance * 2u) {
      for (var at = first; at + distance < end; at += 2u * distance) {
        tree[at] = stat_merge(tree[at], tree[at + distance]);
      }
    }
  }
  workgroupBarrier();
  return tree[0];
}
