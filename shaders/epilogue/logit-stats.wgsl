// Statistics of a row of logits. With all that a call may ask for there are more results than a kernel can bind: then the values of a
// row are packed, and the epilogue logit-stats-unpack brings them to their places.
struct RowInput {
  hit: u32,    // the target
  logit: u32,  // the logit there
}

struct Row {
  stats: Stats,
  list: u32,
  ordered: bool,
}

fn row_input(row: u32) -> RowInput {
  let hit = get_targets(row_number(row));
  if (hit >= params.classes) { return RowInput(hit, BITS_NAN); }
  return RowInput(hit, logit_of(row, hit));
}

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = softmax_finish(stat.softmax);
  let ordered = d.top != KEY_NAN;
  var s = Stats(distribution_lse(d), BITS_NAN, NO_CLASS, BITS_NAN, NO_CLASS);
  if (ordered) { s.argmax = list_get(stat.list, 0u).index; }
  if (key_is_finite(d.top)) { s.entropy = bitcast<u32>(d.log_sum + stat.moment * d.inverse); }
  if (input.hit < params.classes) {
    if (ordered) { s.target_rank = stat.rank; }
    if (key_is_finite(d.top)) { s.target_log_prob = twice(distribution_half_nll(d, input.logit) ^ 0x80000000u); }
  }
  return Row(s, stat.list, ordered);
}

fn row_output(row: u32, r: Row) {
  stats_output(row, r.stats);
  let at = packed_at(row);
  put_packed(at, r.stats.log_sum_exp);
  put_packed(at + 1u, r.stats.entropy);
  put_packed(at + 2u, r.stats.argmax);
  put_packed(at + 3u, r.stats.target_log_prob);
  put_packed(at + 4u, r.stats.target_rank);
  list_output(row, r.list, r.ordered);
}

fn row_store(at: u32, r: Row) {}
fn emit(row: u32, r: Row, c: u32) {}
