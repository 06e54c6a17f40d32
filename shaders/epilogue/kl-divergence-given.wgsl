// Divergence D(q || p) of p = softmax(x / T) from probabilities q, given as they are or by their logarithms:
//   u_j = log q_j + (log S + (max - x_j) / T),   D = sum_j q_j u_j,   gradient_j = scale (p_j sum q - q_j),
//   target gradient_j = scale (u_j + 1), or scale q_j (u_j + 1) with respect to the logarithm. A q_j of 0 contributes 0 whatever x_j is.
alias RowInput = u32;

struct Row {
  student: Distribution,
  scale: u32,  // upstream gradient, over the divisor of a mean
  mass: u32,   // sum of q
  half: u32,   // D / 2
}

const ONE: u32 = 0x3f800000u;
const ONE_HALF: u32 = 0x3f000000u;

// Four classes: half of the distance from the maximum before temperature, and u_j / 2; `odd` where floats cannot say it.
struct Ratio { gap: vec4<f32>, half: vec4<f32>, odd: vec4<bool> }

fn ratio_of(d: Distribution, x: vec4<u32>, q: Given) -> Ratio {
  let masked = x == vec4<u32>(BITS_NEG_INF);
  let below = vec4<f32>(0.5 * key_value(d.top)) - 0.5 * bitcast<vec4<f32>>(select(x, vec4<u32>(), masked));
  // Never below 0. Without the max, drivers that reassociate put the 1 of u_j + 1 beside the maximum, which may swallow it.
  let gap = max(select(below, vec4<f32>(), masked), vec4<f32>());
  var surprise = gap;
  if (TEMPERED) { surprise = gap * params.gap_scale; }
  surprise = surprise + vec4<f32>(0.5 * d.log_sum);
  return Ratio(gap, q.half_logs + surprise, q.odd | (masked & (q.probs > vec4<f32>())));
}

// The same for an odd class, as bits.
fn odd_ratio(d: Distribution, row: u32, c: u32) -> u32 {
  return ieee_add(ieee_mul(ONE_HALF, given_log(row, c)), distribution_half_nll(d, pick_logits(row, c)));
}

fn is_zero(u: u32) -> bool { return (u & BITS_ABS) == 0u; }

fn terms_input(row: u32) -> Distribution { return student_of(row); }

fn terms(d: Distribution, row: u32, c: u32) -> Terms {
  let q = given(row, c);
  let u = ratio_of(d, load_logits(row, c), q);
  var t = Terms(bitcast<vec4<u32>>(weighed(q.probs, u.gap, u.half)), bitcast<vec4<u32>>(q.probs));
  if (any(u.odd)) {
    for (var i = 0u; i < 4u; i++) {
      if (!u.odd[i]) { continue; }
      let prob = given_prob(row, c + i);
      t.first[i] = select(ieee_mul(prob, odd_ratio(d, row, c + i)), 0u, is_zero(prob));
      t.second[i] = prob;
    }
  }
  return t;
}

// Sixteen classes of which none is odd, and no term passes the largest float.
fn stat_absorb_usual(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) -> bool {
  let d = terms_input(row);
  var first = vec4<f32>();
  var second = vec4<f32>();
  var odd = false;
  // A loop for the reason in two-sums.wgsl.
  var k = 0u;
  loop {
    let at = c + k * step;
    let q = given(row, at);
    let u = ratio_of(d, load_logits(row, at), q);
    let t = weighed(q.probs, u.gap, u.half);
    first[k] = sum4(t);
    second[k] = sum4(q.probs);
    odd = odd || any(u.odd) || any_special(bitcast<vec4<u32>>(t));
    k++;
    if (k == 4u) { break; }
  }
  if (odd) { return false; }
  (*stat).first += sum4(first);
  (*stat).second += sum4(second);
  return true;
}

fn row_input(row: u32) -> RowInput { return 0u; }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = student_of(row);
  if (!key_is_finite(d.top)) { return Row(d, BITS_NAN, BITS_NAN, BITS_NAN); }
  let scale = ieee_div(get_gradOutput(row_number(row)), bitcast<u32>(params.divisor));
  return Row(d, scale, stat_second(stat), stat_first(stat));
}

fn row_output(row: u32, r: Row) { put_divergence(row_number(row), whole_divergence(r.half)); }

fn row_store(at: u32, r: Row) {
  put_handover(at, r.scale);
  put_handover(at + 1u, r.mass);
}

fn row_load(row: u32) -> Row {
  let at = record_at(row);
  return Row(student_of(row), get_handover(at), get_handover(at + 1u), 0u);
}

// The factors of the gradients with respect to the logits, and to the target.
struct Scales { logits: u32, targets: u32 }

fn scales_of(r: Row) -> Scales {
  let gain = bitcast<u32>(params.gain);
  return Scales(ieee_mul(r.scale, bitcast<u32>(params.chain)), ieee_mul(ieee_mul(r.scale, gain), gain));
}

fn is_special_row(r: Row, s: Scales) -> bool { return is_special(s.logits) || is_special(s.targets) || is_special(r.mass); }

struct Gradients { logits: vec4<u32>, targets: vec4<u32> }

fn usual_gradients(r: Row, s: Scales, p: vec4<f32>, q: Given, u: Ratio) -> Gradients {
  let f = bitcast<f32>(s.targets);
  let w = select(vec4<f32>(f), q.probs * f, GIVEN_LOGS);
  let g = bitcast<vec4<u32>>((bitcast<f32>(r.mass) * p - q.probs) * bitcast<f32>(s.logits));
  var h = bitcast<vec4<u32>>(2.0 * weighed(w, u.gap, u.half + vec4<f32>(0.5)));
  if (!GIVEN_LOGS) { h = select(h, vec4<u32>(BITS_NAN), q.probs == vec4<f32>()); }
  return Gradients(g, h);
}

fn emit_usual(row: u32, r: Row, c: u32) -> bool {
  let x = load_logits(row, c);
  let q = given(row, c);
  let u = ratio_of(r.student, x, q);
  let s = scales_of(r);
  if (!key_is_finite(r.student.top) || is_special_row(r, s) || any(u.odd)) { return false; }
  let g = usual_gradients(r, s, distribution_p(r.student, x), q, u);
  store_grad(row, c, g.logits);
  store_gradTarget(row, c, g.targets);
  return true;
}

fn emit_odd(row: u32, r: Row, c: u32) {
  var g = vec4<u32>(BITS_NAN);
  var h = vec4<u32>(BITS_NAN);
  if (key_is_finite(r.student.top) && !is_nan(r.scale)) {
    let x = load_logits(row, c);
    let p = distribution_p(r.student, x);
    let q = given(row, c);
    let u = ratio_of(r.student, x, q);
    let s = scales_of(r);
    let special = is_special_row(r, s);
    let usual = usual_gradients(r, s, p, q, u);
    g = usual.logits;
    h = usual.targets;
    for (var i = 0u; i < 4u && c + i < params.classes; i++) {
      if (!special && !u.odd[i]) { continue; }
      let prob = given_prob(row, c + i);
      let pull = ieee_mul(r.mass, bitcast<u32>(p[i]));
      // In the factored form an infinite scale would hide that infinities cancel to NaN.
      if (is_inf(s.logits)) {
        g[i] = ieee_sub(ieee_mul(s.logits, pull), ieee_mul(s.logits, prob));
      } else {
        g[i] = ieee_mul(s.logits, ieee_sub(pull, prob));
      }
      if (is_zero(prob)) {
        h[i] = select(BITS_NAN, ieee_mul(s.targets, 0u), GIVEN_LOGS);
      } else {
        let slope = ieee_add(odd_ratio(r.student, row, c + i), ONE_HALF);
        h[i] = twice(ieee_mul(ieee_mul(s.targets, select(ONE, prob, GIVEN_LOGS)), slope));
      }
    }
  }
  store_grad(row, c, g);
  store_gradTarget(row, c, h);
}
