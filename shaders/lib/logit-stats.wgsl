// What logitStats tells of a row besides its largest logits, as bits; indices of a row without an order are NO_CLASS, which is -1.
struct Stats {
  log_sum_exp: u32,
  entropy: u32,
  argmax: u32,
  target_log_prob: u32,
  target_rank: u32,
}

fn stats_output(row: u32, s: Stats) {
  let at = row_number(row);
  put_logSumExp(at, s.log_sum_exp);
  put_entropy(at, s.entropy);
  put_argmax(at, s.argmax);
  put_targetLogProb(at, s.target_log_prob);
  put_targetRank(at, s.target_rank);
}

// Where a row's Stats lie while they are packed.
fn packed_at(row: u32) -> u32 { return 5u * row_number(row); }
