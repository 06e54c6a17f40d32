// Binary cross-entropy of logits, element by element:
//   loss = w ((1 - t) softplus(x) + posWeight t softplus(-x)),   gradient = scale w ((1 - t) sigmoid(x) - posWeight t sigmoid(-x)),
//   target gradient = scale w (posWeight softplus(-x) - softplus(x)).
// No two terms cancel where the answer is small.

const ONE: u32 = 0x3f800000u;
const FAR: u32 = 0x42aeac50u; // 87.336: beyond it exp(-|x|) is gone

struct Elements { x: vec4<u32>, t: vec4<u32>, w: vec4<u32>, pos: vec4<u32> }

fn elements_of(row: u32, c: u32) -> Elements {
  return Elements(load_logits(row, c), load_targets(row, c), load_weight(row, c), load_posWeight(0u, c));
}

// The upstream gradient of a row's elements, over the divisor of a mean.
fn upstream_of(row: u32) -> u32 { return ieee_div(get_upstream(row_number(row)), bitcast<u32>(params.divisor)); }

// Usual elements, four at once: all that goes in is finite, and so is all that comes out, or it is not used.

fn sizes(e: Elements) -> vec4<u32> {
  return max(max(e.x & vec4<u32>(BITS_ABS), e.t & vec4<u32>(BITS_ABS)), max(e.w & vec4<u32>(BITS_ABS), e.pos & vec4<u32>(BITS_ABS)));
}

// exp(-|x|).
fn tails(x: vec4<u32>) -> vec4<f32> {
  let size = x & vec4<u32>(BITS_ABS);
  return select(vec4<f32>(), exp_gap(-bitcast<vec4<f32>>(size)), size < vec4<u32>(FAR));
}

// log(1 + exp(-|x|)) of the former with the digits of log1p: 2 atanh(s) for s of at most 1/3; the first term left out is below 2e-9 of the result.
fn log_tails(e: vec4<f32>) -> vec4<f32> {
  let s = e / (2.0 + e);
  let z = s * s;
  let inner = 0.11111111 + z * (0.09090909 + z * (0.07692308 + z * 0.06666667));
  let tail = z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * inner)));
  return 2.0 * s + 2.0 * s * tail;
}

// softplus(x) and softplus(-x).
struct Softpluses { up: vec4<f32>, down: vec4<f32> }

fn softpluses(x: vec4<u32>, e: vec4<f32>) -> Softpluses {
  let v = bitcast<vec4<f32>>(x);
  let log_tail = log_tails(e);
  return Softpluses(log_tail + max(v, vec4<f32>()), log_tail + max(-v, vec4<f32>()));
}

fn usual_losses(e: Elements, s: Softpluses) -> vec4<f32> {
  let t = bitcast<vec4<f32>>(e.t);
  return bitcast<vec4<f32>>(e.w) * ((1.0 - t) * s.up + (bitcast<vec4<f32>>(e.pos) * t) * s.down);
}

// `odd` where an operand, or a gradient itself, is not finite.
struct Gradients { logits: vec4<u32>, targets: vec4<u32>, odd: bool }

fn usual_gradients(row: u32, c: u32, e: Elements, tail: vec4<f32>, s: Softpluses, upstream: u32) -> Gradients {
  let own = load_gradOutput(row, c);
  let t = bitcast<vec4<f32>>(e.t);
  let pos = bitcast<vec4<f32>>(e.pos);
  let negative = (e.x >> vec4<u32>(31u)) == vec4<u32>(1u);
  let on = select(vec4<f32>(1.0), tail, negative) / (1.0 + tail);
  let off = select(tail, vec4<f32>(1.0), negative) / (1.0 + tail);
  let scale = bitcast<f32>(upstream) * bitcast<vec4<f32>>(own) * bitcast<vec4<f32>>(e.w);
  let g = bitcast<vec4<u32>>(((1.0 - t) * on - (pos * t) * off) * scale);
  var h = vec4<u32>();
  if (TARGET_GRADIENT) {
    var slope = -bitcast<vec4<f32>>(e.x); // without a weight of the positives softplus(-x) - softplus(x) is -x, exactly
    if (POS_WEIGHT) { slope = pos * s.down - s.up; }
    h = bitcast<vec4<u32>>(slope * scale);
  }
  let odd = is_special(upstream) || any_special(own) || any_special(sizes(e)) || any_special(g) || any_special(h);
  return Gradients(g, h, odd);
}

// Elements of any bits, one by one.

// log(1 + exp(x)) = log(1 + exp(-|x|)) + max(x, 0).
fn softplus(x: u32) -> u32 {
  let size = x & BITS_ABS;
  if (size >= FAR) { return select(select(0u, size, (x >> 31u) == 0u), BITS_NAN, is_nan(x)); }
  let v = bitcast<f32>(x);
  return bitcast<u32>(log_tails(tails(vec4<u32>(x))).x + max(v, 0.0));
}

fn sigmoid(x: u32) -> u32 {
  if (is_nan(x)) { return BITS_NAN; }
  let e = tails(vec4<u32>(x)).x;
  return bitcast<u32>(select(1.0, e, (x >> 31u) == 1u) / (1.0 + e));
}

fn negated(u: u32) -> u32 { return u ^ 0x80000000u; }

fn element_loss(x: u32, t: u32, w: u32, pos: u32) -> u32 {
  let misses = ieee_sub(ONE, t);
  let hits = ieee_mul(pos, t);
  if (is_inf(x)) {
    // PyTorch's form, (1 - t) x + (1 + (posWeight - 1) t) softplus(-x), for its NaNs.
    let factor = ieee_add(ONE, ieee_mul(ieee_sub(pos, ONE), t));
    return ieee_mul(w, ieee_add(ieee_mul(misses, x), ieee_mul(factor, softplus(negated(x)))));
  }
  return ieee_mul(w, ieee_add(ieee_mul(misses, softplus(x)), ieee_mul(hits, softplus(negated(x)))));
}

fn element_losses(e: Elements, c: u32) -> vec4<u32> {
  var v = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) { v[i] = element_loss(e.x[i], e.t[i], e.w[i], e.pos[i]); }
  return v;
}

fn emit_odd_gradients(row: u32, upstream: u32, c: u32) {
  let e = elements_of(row, c);
  let own = load_gradOutput(row, c);
  var g = vec4<u32>();
  var h = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) {
    let scale = ieee_mul(ieee_mul(upstream, own[i]), e.w[i]);
    let misses = ieee_mul(ieee_sub(ONE, e.t[i]), sigmoid(e.x[i]));
    let hits = ieee_mul(ieee_mul(e.pos[i], e.t[i]), sigmoid(negated(e.x[i])));
    g[i] = ieee_mul(ieee_sub(misses, hits), scale);
    if (TARGET_GRADIENT) {
      var slope = negated(e.x[i]);
      if (POS_WEIGHT) { slope = ieee_sub(ieee_mul(e.pos[i], softplus(negated(e.x[i]))), softplus(e.x[i])); }
      h[i] = ieee_mul(slope, scale);
    }
  }
  store_grad(row, c, g);
  store_gradTargets(row, c, h);
}
