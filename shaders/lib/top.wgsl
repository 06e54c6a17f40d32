// The classes that come first in a row, in order: the larger logit first, of equal ones (0 and -0 are equal) the smaller class. Only
// integers are compared, so the list is exact whatever the order in which parts of it are merged.
struct Entry { key: i32, index: u32 }

// Each lane of a workgroup has a list of `listed` entries here, at most LIST, and merges are done in place: passed by value, lists take
// compilers seconds. Entries of neighbouring lanes lie side by side.
var<workgroup> lists: array<Entry, WIDTH * LIST>;

// Below the key of every logit.
const KEY_NONE: i32 = -2147483648;

// As order_keys, but the same for 0 and -0.
fn rank_key(key: i32) -> i32 { return select(key, 0, key == -1); }
fn rank_keys(keys: vec4<i32>) -> vec4<i32> { return select(keys, vec4<i32>(), keys == vec4<i32>(-1)); }

fn comes_before(a: Entry, b: Entry) -> bool {
  let x = rank_key(a.key);
  let y = rank_key(b.key);
  return x > y || (x == y && a.index < b.index);
}

// Which of the classes from c come before the class `mark.index`; its key is a rank_key.
fn ahead_of(mark: Entry, keys: vec4<i32>, c: u32) -> vec4<bool> {
  let ranks = rank_keys(keys);
  let smaller = vec4<u32>(c, c + 1u, c + 2u, c + 3u) < vec4<u32>(mark.index);
  return (ranks > vec4<i32>(mark.key)) | ((ranks == vec4<i32>(mark.key)) & smaller);
}

fn list_get(list: u32, i: u32) -> Entry { return lists[i * WIDTH + list]; }
fn list_set(list: u32, i: u32, entry: Entry) { lists[i * WIDTH + list] = entry; }

// The empty list of this lane.
fn list_zero() -> u32 {
  for (var i = 0u; i < params.listed; i++) { list_set(own_lane, i, Entry(KEY_NONE, NO_CLASS)); }
  return own_lane;
}

// Takes in sixteen logits. A lane meets its classes in rising order, so what enters stands behind all that are equal to it, and what
// only equals the last of a full list does not enter. What stands behind the end of a row counts as a masked class: the row's own ones
// come before it, and there are enough of them to fill what is wanted of the list.
fn list_absorb(list: u32, k0: vec4<i32>, k1: vec4<i32>, k2: vec4<i32>, k3: vec4<i32>, c: u32, step: u32) {
  let highest = max4(max(max(k0, k1), max(k2, k3)));
  if (rank_key(highest) <= rank_key(list_get(list, params.listed - 1u).key)) { return; }
  for (var i = 0u; i < 4u; i++) {
    var keys = k0;
    if (i == 1u) { keys = k1; } else if (i == 2u) { keys = k2; } else if (i == 3u) { keys = k3; }
    for (var j = 0u; j < 4u; j++) { list_take(list, Entry(keys[j], c + i * step + j)); }
  }
}

fn list_take(list: u32, entry: Entry) {
  let rank = rank_key(entry.key);
  var at = params.listed;
  while (at > 0u) {
    let other = list_get(list, at - 1u);
    if (rank <= rank_key(other.key)) { break; }
    if (at < params.listed) { list_set(list, at, other); }
    at--;
  }
  if (at < params.listed) { list_set(list, at, entry); }
}

// The first of both, in the place of `a`. `b` is a lane's list, or from WIDTH on where a list begins in the handover of a split row.
fn list_merge(a: u32, b: u32) {
  // How many of each: no class is in both, so that it does not matter which is which.
  var i = 0u;
  var j = 0u;
  while (i + j < params.listed) {
    if (comes_before(entry_of(b, j), list_get(a, i))) { j++; } else { i++; }
  }
  // From the back, so that nothing is overwritten that is still to be moved. Without any of `b` left, the rest is in its place.
  while (j > 0u) {
    var last = entry_of(b, j - 1u);
    let at = i + j - 1u;
    if (i > 0u && comes_before(last, list_get(a, i - 1u))) {
      last = list_get(a, i - 1u);
      i--;
    } else {
      j--;
    }
    list_set(a, at, last);
  }
}

fn entry_of(list: u32, i: u32) -> Entry {
  if (list < WIDTH) { return list_get(list, i); }
  let at = list - WIDTH + 2u * i;
  return Entry(bitcast<i32>(get_handover(at)), get_handover(at + 1u));
}

fn list_store(at: u32, list: u32) {
  for (var i = 0u; i < params.listed; i++) {
    let entry = list_get(list, i);
    put_handover(at + 2u * i, bitcast<u32>(entry.key));
    put_handover(at + 2u * i + 1u, entry.index);
  }
}

fn list_load(at: u32) -> u32 { return WIDTH + at; }

// Writes what this round found of the `wanted` values of a row, and where the next one goes on. A row with a NaN has no order.
fn list_output(row: u32, list: u32, ordered: bool) {
  let number = row_number(row);
  for (var i = 0u; i < min(params.listed, params.wanted - params.taken); i++) {
    let at = number * params.wanted + params.taken + i;
    let entry = list_get(list, i);
    put_topKValues(at, select(BITS_NAN, key_bits(entry.key), ordered));
    put_topKIndices(at, select(NO_CLASS, entry.index, ordered));
  }
  let last = list_get(list, params.listed - 1u);
  put_last(2u * number, bitcast<u32>(select(KEY_NAN, last.key, ordered)));
  put_last(2u * number + 1u, last.index);
}
