// Statistic: which classes come first among those that come after what is known already.
struct Stat { list: u32 }

fn stat_zero() -> Stat { return Stat(list_zero()); }

// The keys of four logits; none for a class that is known.
fn keys_after(row: u32, known: Entry, c: u32) -> vec4<i32> {
  let keys = order_keys(logits_of(row, c));
  return select(vec4<i32>(KEY_NONE), keys, !ahead_of(known, keys, c));
}

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  // The last class that is known comes before the class behind it.
  let last = last_known(row);
  let known = Entry(rank_key(last.key), last.index + 1u);
  list_absorb(
    (*stat).list, keys_after(row, known, c), keys_after(row, known, c + step), keys_after(row, known, c + 2u * step),
    keys_after(row, known, c + 3u * step), c, step
  );
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  list_merge(a.list, b.list);
  return a;
}

fn stat_store(at: u32, stat: Stat) { list_store(at, stat.list); }

fn stat_load(at: u32) -> Stat { return Stat(list_load(at)); }
