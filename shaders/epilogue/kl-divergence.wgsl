// Divergence D(q || p) of p = softmax(x / T) from a teacher's q = softmax(y / T), both known from passes of their own:
//   u_j = log q_j - log p_j,   D = sum_j q_j phi(u_j) with phi(u) = u - 1 + exp(-u), of which no term is below 0,
//   gradient_j = scale (p_j - q_j),   the teacher's gradient_j = scale q_j (u_j - D).
// u is made of differences of logits that are exactly 0 for equal rows. What log S is off by, it is off by in all classes: by this drift e
// the sum is too large by phi(e), and sum_j (q_j - p_j), which is 0, comes out as 1 - exp(-e); so it is summed too, and e is taken out.
struct Pair { student: Distribution, teacher: Distribution }

alias RowInput = u32;

struct Row {
  pair: Pair,
  scale: u32,
  half_drift: f32,
  half: u32,  // D / 2, not below 0 by rounding
}

fn pair_of(row: u32) -> Pair {
  let at = 3u * row_number(row);
  let teacher = Distribution(bitcast<i32>(get_teacher(at)), bitcast<f32>(get_teacher(at + 1u)), bitcast<f32>(get_teacher(at + 2u)));
  return Pair(student_of(row), teacher);
}

fn pair_is_finite(pair: Pair) -> bool { return key_is_finite(pair.student.top) && key_is_finite(pair.teacher.top); }

// Four classes of both. `counts`: q_j is not 0, and p_j neither but by rounding; `half` is u_j / 2 there, and 0 elsewhere.
// `apart`: the student alone masks the class, and u_j is infinite.
struct Comparison {
  p: vec4<f32>,
  q: vec4<f32>,
  gap: vec4<f32>,
  half: vec4<f32>,
  counts: vec4<bool>,
  apart: vec4<bool>,
}

fn compare(pair: Pair, x: vec4<u32>, y: vec4<u32>) -> Comparison {
  let p = distribution_p(pair.student, x);
  let q = distribution_p(pair.teacher, y);
  let likely = q > vec4<f32>();
  let masked = x == vec4<u32>(BITS_NEG_INF);
  let counts = likely & !masked;
  let half_x = 0.5 * bitcast<vec4<f32>>(select(vec4<u32>(), x, counts));
  let half_y = 0.5 * bitcast<vec4<f32>>(select(vec4<u32>(), y, counts));
  let top_x = 0.5 * key_value(pair.student.top);
  let top_y = 0.5 * key_value(pair.teacher.top);
  // The same number in two ways, each exact to its largest part: rows that nearly agree, and rows that are far apart but nearly alike.
  let own = half_y - half_x;
  let shift = top_y - top_x;
  let below_x = vec4<f32>(top_x) - half_x;
  let below_y = vec4<f32>(top_y) - half_y;
  let across = max(abs(own), vec4<f32>(abs(shift))) < max(below_x, below_y);
  let gap = select(vec4<f32>(), select(below_x - below_y, own - vec4<f32>(shift), across), counts);
  var half = gap;
  if (TEMPERED) { half = gap * params.gap_scale; }
  half = half + vec4<f32>(0.5 * (pair.student.log_sum - pair.teacher.log_sum));
  return Comparison(p, q, gap, select(vec4<f32>(), half, counts), counts, likely & masked);
}

// phi(u) / u for |u| < 1, by its series; the first term left out is below 1e-8 of it.
fn phi_slope(u: vec4<f32>) -> vec4<f32> {
  var s = vec4<f32>(-2.5052108e-8);
  s = 2.7557319e-7 + u * s;
  s = -2.7557319e-6 + u * s;
  s = 2.4801587e-5 + u * s;
  s = -1.9841270e-4 + u * s;
  s = 1.3888889e-3 + u * s;
  s = -8.3333333e-3 + u * s;
  s = 4.1666667e-2 + u * s;
  s = -0.16666667 + u * s;
  return u * (0.5 + u * s);
}

// q_j - p_j, which does not cancel where they are close; and q_j phi(u_j) / 2.
struct Difference { excess: vec4<f32>, half_term: vec4<f32> }

fn difference(v: Comparison, half: vec4<f32>) -> Difference {
  let near = v.counts & (abs(half) < vec4<f32>(0.5));
  let u = select(vec4<f32>(), 2.0 * half, near);
  let slope = phi_slope(u);
  let far_excess = v.q - v.p;
  let far_term = weighed(v.q, v.gap, half) - 0.5 * far_excess;
  return Difference(
    select(far_excess, v.q * (u - u * slope), near),
    select(far_term, 0.5 * (v.q * (u * slope)), near),
  );
}

fn terms_input(row: u32) -> Pair { return pair_of(row); }

fn terms(pair: Pair, row: u32, c: u32) -> Terms {
  let v = compare(pair, load_logits(row, c), load_target(row, c));
  let d = difference(v, v.half);
  return Terms(select(bitcast<vec4<u32>>(d.half_term), vec4<u32>(BITS_INF), v.apart), bitcast<vec4<u32>>(d.excess));
}

fn row_input(row: u32) -> RowInput { return 0u; }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let pair = pair_of(row);
  if (!pair_is_finite(pair)) { return Row(pair, BITS_NAN, 0.0, BITS_NAN); }
  let upstream = ieee_div(get_gradOutput(row_number(row)), bitcast<u32>(params.divisor));
  let excess = stat.second;
  let drift = excess + 0.5 * excess * excess;
  var half = stat_first(stat);
  if (!is_special(half)) { half = bitcast<u32>(max(bitcast<f32>(half) - 0.25 * drift * drift, 0.0)); }
  return Row(pair, ieee_mul(upstream, bitcast<u32>(params.chain)), 0.5 * drift, half);
}

fn row_output(row: u32, r: Row) { put_divergence(row_number(row), whole_divergence(r.half)); }

fn row_store(at: u32, r: Row) {
  put_handover(at, r.scale);
  put_handover(at + 1u, bitcast<u32>(r.half_drift));
  put_handover(at + 2u, r.half);
}

fn row_load(row: u32) -> Row {
  let at = record_at(row);
  return Row(pair_of(row), get_handover(at), bitcast<f32>(get_handover(at + 1u)), get_handover(at + 2u));
}

// Four classes as their gradients need them: u_j / 2 without the drift, and q_j - p_j.
struct Slopes { comparison: Comparison, half: vec4<f32>, excess: vec4<f32> }

fn slopes(row: u32, r: Row, c: u32) -> Slopes {
  let v = compare(r.pair, load_logits(row, c), load_target(row, c));
  let half = select(v.half, v.half - vec4<f32>(r.half_drift), v.counts);
  return Slopes(v, half, difference(v, half).excess);
}

// One class that is apart makes D infinite, for the whole row.
fn row_is_usual(r: Row) -> bool { return pair_is_finite(r.pair) && !is_special(r.scale) && !is_special(r.half); }

fn emit(row: u32, r: Row, c: u32) {
  let s = slopes(row, r, c);
  let q = s.comparison.q;
  let scale = bitcast<f32>(r.scale);
  let lead = weighed(q, s.comparison.gap, s.half) - q * bitcast<f32>(r.half);
  store_grad(row, c, bitcast<vec4<u32>>(-scale * s.excess));
  store_gradTarget(row, c, bitcast<vec4<u32>>(2.0 * (scale * lead)));
}

fn emit_odd(row: u32, r: Row, c: u32) {
  var g = vec4<u32>(BITS_NAN);
  var h = vec4<u32>(BITS_NAN);
  if (pair_is_finite(r.pair) && !is_nan(r.scale)) {
    let s = slopes(row, r, c);
    let v = s.comparison;
    for (var i = 0u; i < 4u; i++) {
      // An infinite scale meets p_j and q_j one by one: Inf - Inf, or Inf times 0.
      g[i] = select(ieee_mul(r.scale, bitcast<u32>(-s.excess[i])), BITS_NAN, is_inf(r.scale));
      let ratio = select(bitcast<u32>(min(s.half[i], 3e38)), BITS_INF, v.apart[i]);
      let product = select(ieee_mul(bitcast<u32>(v.q[i]), ieee_sub(ratio, r.half)), 0u, v.q[i] == 0.0);
      h[i] = twice(ieee_mul(r.scale, product));
    }
  }
  store_grad(row, c, g);
  store_gradTarget(row, c, h);
}
