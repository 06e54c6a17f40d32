// A sum whose epilogue has a shorter way for usual terms: what is not usual comes as NaN or an infinity. Such sixteen are not taken in.
fn stat_absorb_usual(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) -> bool {
  let t0 = usual_terms(row, c);
  let t1 = usual_terms(row, c + step);
  let t2 = usual_terms(row, c + 2u * step);
  let t3 = usual_terms(row, c + 3u * step);
  if (any_special(t0) || any_special(t1) || any_special(t2) || any_special(t3)) { return false; }
  (*stat).sum += sum4(vec4<f32>(finite_sum(t0), finite_sum(t1), finite_sum(t2), finite_sum(t3)));
  return true;
}
