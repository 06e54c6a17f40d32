// Binary cross-entropy of logits, element by element:
//   loss = w ((1 - t) softplus(x) + posWeight t softplus(-x)),   gradient = scale w ((1 - t) sigmoid(x) - posWeight t sigmoid(-x)),
//   target gradient = scale w (posWeight softplus(-x) - softplus(x)).
// No two terms cancel where the answer is small.

const ONE: u32 = 0x3f800000u;
const FAR: u32 = 0x42aeac50u; // 87.336: beyond it exp(-|x|) is gone

// log(1 + exp(x)) = log(1 + exp(-|x|)) + max(x, 0), of the bits of any x.
fn softplus(x: u32) -> u32 {
  let size = x & BITS_ABS;
  if (size >= FAR) { return select(select(0u, size, (x >> 31u) == 0u), BITS_NAN, is_nan(x)); }
  let v = bitcast<f32>(x);
  return bitcast<u32>(log_one_plus(exp_gap(vec4<f32>(-abs(v))).x) + max(v, 0.0));
}

fn sigmoid(x: u32) -> u32 {
  if (is_nan(x)) { return BITS_NAN; }
  let size = x & BITS_ABS;
  let e = select(0.0, exp_gap(vec4<f32>(-bitcast<f32>(min(size, FAR)))).x, size < FAR);
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

fn element_losses(row: u32, c: u32) -> vec4<u32> {
  let x = load_logits(row, c);
  let t = load_targets(row, c);
  let w = load_weight(row, c);
  let pos = load_posWeight(0u, c);
  var v = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) { v[i] = element_loss(x[i], t[i], w[i], pos[i]); }
  return v;
}

fn emit_elements(row: u32, c: u32) {
  let x = load_logits(row, c);
  let t = load_targets(row, c);
  let w = load_weight(row, c);
  let pos = load_posWeight(0u, c);
  let own = load_gradOutput(row, c);
  let upstream = ieee_div(get_upstream(row_number(row)), bitcast<u32>(params.divisor));
  var g = vec4<u32>();
  var h = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) {
    let scale = ieee_mul(ieee_mul(upstream, own[i]), w[i]);
    let misses = ieee_mul(ieee_sub(ONE, t[i]), sigmoid(x[i]));
    let hits = ieee_mul(ieee_mul(pos[i], t[i]), sigmoid(negated(x[i])));
    g[i] = ieee_mul(ieee_sub(misses, hits), scale);
    if (TARGET_GRADIENT) {
      var slope = negated(x[i]); // without a weight of the positives softplus(-x) - softplus(x) is -x, exactly
      if (POS_WEIGHT) { slope = ieee_sub(ieee_mul(pos[i], softplus(negated(x[i]))), softplus(x[i])); }
      h[i] = ieee_mul(slope, scale);
    }
  }
  store_grad(row, c, g);
  store_gradTargets(row, c, h);
}
