// Statistic: the softmax of the row's logits, and what a loss with a coefficient q_j for every class needs:
// sum q_j (lse - x_j) = mass log S + sum q_j (max - x_j) / T, with mass = sum q_j. The second sum is kept halved, so that it cannot
// overflow before the loss does. The coefficients come from the epilogue, as floats and bit by bit.
struct Stat {
  softmax: Softmax,
  mass: f32,
  gap: f32,         // sum of q_j (max - x_j) / 2 over finite x_j
  mass_met: u32,
  gap_met: u32,
}

fn stat_zero() -> Stat { return Stat(softmax_zero(), 0.0, 0.0, 0u, 0u); }

// What four classes add to mass and gap, and whether there is anything that floats cannot add.
struct Share { mass: f32, gap: f32, odd: bool }

// Probability 0 at a logit of -Inf contributes 0 (the convention 0 log 0 = 0).
fn share_of(x: vec4<u32>, q: Coefficients, half_top: f32) -> Share {
  let masked = x == vec4<u32>(BITS_NEG_INF);
  var gaps = select(keep4(vec4<f32>(half_top) - keep4(0.5 * bitcast<vec4<f32>>(x))), vec4<f32>(), masked);
  if (TEMPERED) { gaps = keep4(gaps * params.gap_scale); }
  return Share(sum4(q.values), sum4(keep4(q.values * gaps)), q.special || any(masked & q.likely));
}

// The same for classes that are odd, one by one.
fn add_odd(stat: ptr<function, Stat>, row: u32, c: u32, half_top: f32) {
  for (var i = c; i < min(c + 4u, params.classes); i++) {
    let weight = weight_bits(i);
    let prob = probability_bits(row, i);
    let q = ieee_mul(weight, prob);
    let x = logit_of(row, i);
    let half_gap = tempered(keep(half_top - keep(0.5 * bitcast<f32>(x))));
    // An infinite coefficient times a gap that is 0 so far says nothing yet.
    var gap = select(ieee_mul(q, bitcast<u32>(half_gap)), 0u, is_inf(q) && !(half_gap > 0.0));
    if (x == BITS_NEG_INF) { gap = select(ieee_mul(weight, ieee_mul(prob, BITS_INF)), 0u, (prob & BITS_ABS) == 0u); }
    (*stat).mass_met |= met(q);
    (*stat).gap_met |= met(gap);
    (*stat).mass = keep((*stat).mass + select(bitcast<f32>(q), 0.0, is_special(q)));
    (*stat).gap = keep((*stat).gap + select(bitcast<f32>(gap), 0.0, is_special(gap)));
  }
}

// The halved gap grows when the maximum does; that of an infinite coefficient, to infinity.
fn gap_met_at(mass_met: u32, gap_met: u32, before: i32, top: i32) -> u32 {
  return select(gap_met | mass_met, gap_met, before == top || before == KEY_NEG_INF);
}

fn gap_growth(mass: f32, before: i32, top: i32) -> f32 {
  let growth = keep(mass * tempered(keep(keep(0.5 * key_value(top)) - keep(0.5 * key_value(before)))));
  return select(growth, 0.0, before == top || before == KEY_NEG_INF);
}

// The statistic with the softmax of sixteen more logits, and without their coefficients.
fn with_logits(old: Stat, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>) -> Stat {
  var s = old.softmax;
  let before = softmax_absorb(&s, x0, x1, x2, x3);
  return Stat(
    s, old.mass, keep(old.gap + gap_growth(old.mass, before, s.top)),
    old.mass_met, gap_met_at(old.mass_met, old.gap_met, before, s.top)
  );
}

fn half_top_of(stat: Stat) -> f32 { return keep(0.5 * key_value(stat.softmax.top)); }

fn stat_absorb_usual(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) -> bool {
  let x0 = logits_of(row, c);
  let x1 = logits_of(row, c + step);
  let x2 = logits_of(row, c + 2u * step);
  let x3 = logits_of(row, c + 3u * step);
  var next = with_logits(*stat, x0, x1, x2, x3);
  let half_top = half_top_of(next);
  let w0 = share_of(x0, coefficients(row, c), half_top);
  let w1 = share_of(x1, coefficients(row, c + step), half_top);
  let w2 = share_of(x2, coefficients(row, c + 2u * step), half_top);
  let w3 = share_of(x3, coefficients(row, c + 3u * step), half_top);
  if (w0.odd || w1.odd || w2.odd || w3.odd) { return false; }
  next.gap = keep(next.gap + sum4(vec4<f32>(w0.gap, w1.gap, w2.gap, w3.gap)));
  next.mass = keep(next.mass + sum4(vec4<f32>(w0.mass, w1.mass, w2.mass, w3.mass)));
  *stat = next;
  return true;
}

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  *stat = with_logits(
    *stat, logits_of(row, c), logits_of(row, c + step), logits_of(row, c + 2u * step), logits_of(row, c + 3u * step)
  );
  let half_top = half_top_of(*stat);
  for (var i = 0u; i < 4u; i++) { add_odd(stat, row, c + i * step, half_top); }
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  let s = softmax_merge(a.softmax, b.softmax);
  let a_gap = keep(a.gap + gap_growth(a.mass, a.softmax.top, s.top));
  let b_gap = keep(b.gap + gap_growth(b.mass, b.softmax.top, s.top));
  let a_met = gap_met_at(a.mass_met, a.gap_met, a.softmax.top, s.top);
  let b_met = gap_met_at(b.mass_met, b.gap_met, b.softmax.top, s.top);
  return Stat(s, keep(a.mass + b.mass), keep(a_gap + b_gap), a.mass_met | b.mass_met, a_met | b_met);
}

fn stat_mass(stat: Stat) -> u32 { return sum_bits(stat.mass, stat.mass_met); }
// sum q_j (lse - x_j), halved. An infinite coefficient decides it, unless its own lse - x_j is 0: then it is NaN.
fn stat_half_loss(stat: Stat, log_sum: f32) -> u32 {
  let mass = stat_mass(stat);
  let gap = sum_bits(stat.gap, stat.gap_met);
  let decided = is_inf(mass) && is_inf(gap);
  let of_mass = select(ieee_mul(mass, keep_bits(0.5 * log_sum)), mass, decided);
  return ieee_add(of_mass, gap);
}

fn stat_store(at: u32, stat: Stat) {
  softmax_store(at, stat.softmax);
  put_handover(at + 3u, bitcast<u32>(stat.mass));
  put_handover(at + 4u, bitcast<u32>(stat.gap));
  put_handover(at + 5u, stat.mass_met);
  put_handover(at + 6u, stat.gap_met);
}

fn stat_load(at: u32) -> Stat {
  let s = softmax_load(at);
  return Stat(
    s, bitcast<f32>(get_handover(at + 3u)), bitcast<f32>(get_handover(at + 4u)), get_handover(at + 5u), get_handover(at + 6u)
  );
}
