// Binary cross-entropy of logits, element by element, as PyTorch has it: with l = 1 + (posWeight - 1) t,
//   loss = w ((1 - t) x + l softplus(-x)),   gradient = scale w ((posWeight t + 1 - t) sigmoid(x) - posWeight t),
//   target gradient = scale w (posWeight softplus(-x) - softplus(x)).
// A row's statistic is the sum of its losses.
alias RowInput = u32;
alias Row = Stat;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat; }
fn row_output(row: u32, r: Row) { put_losses(row_number(row), stat_sum(r)); }
fn row_store(at: u32, r: Row) {}
fn row_load(row: u32) -> Row { return stat_zero(); }

const ONE: u32 = 0x3f800000u;

// softplus(-x) = log(1 + exp(-|x|)) + max(-x, 0); of the bits of any x.
fn softplus_negative(x: u32) -> u32 {
  let size = x & BITS_ABS;
  if (size >= 0x42aeac50u) { // 87.336: exp(-|x|) is gone
    return select(select(size, 0u, (x >> 31u) == 0u), BITS_NAN, is_nan(x));
  }
  let v = bitcast<f32>(x);
  return bitcast<u32>(log_one_plus(exp_gap(vec4<f32>(-abs(v))).x) + max(-v, 0.0));
}

fn sigmoid(x: u32) -> u32 {
  if (is_nan(x)) { return BITS_NAN; }
  let e = select(0.0, exp_gap(vec4<f32>(-abs(bitcast<f32>(min(x & BITS_ABS, 0x42aeac50u))))).x, (x & BITS_ABS) < 0x42aeac50u);
  return bitcast<u32>(select(1.0, e, (x >> 31u) == 1u) / (1.0 + e));
}

fn loss_bits(x: u32, t: u32, w: u32, pos: u32) -> u32 {
  let linear = ieee_mul(ieee_sub(ONE, t), x);
  let factor = ieee_add(ONE, ieee_mul(ieee_sub(pos, ONE), t));
  return ieee_mul(w, ieee_add(linear, ieee_mul(factor, softplus_negative(x))));
}

fn losses_of(row: u32, c: u32) -> vec4<u32> {
  let x = load_logits(row, c);
  let t = load_targets(row, c);
  let w = load_weight(row, c);
  let pos = load_posWeight(0u, c);
  var v = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) { v[i] = loss_bits(x[i], t[i], w[i], pos[i]); }
  return v;
}

fn terms(row: u32, c: u32) -> vec4<u32> {
  let v = losses_of(row, c);
  let scaled = bitcast<vec4<u32>>(bitcast<vec4<f32>>(v) * params.prescale);
  return select(scaled, v, (v & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF));
}

fn emit(row: u32, r: Row, c: u32) {
  let x = load_logits(row, c);
  let t = load_targets(row, c);
  let w = load_weight(row, c);
  let pos = load_posWeight(0u, c);
  let own = load_gradOutput(row, c);
  let upstream = ieee_div(get_upstream(row_number(row)), bitcast<u32>(params.divisor));
  if (ELEMENT_LOSS) { store_loss(row, c, losses_of(row, c)); }
  var g = vec4<u32>();
  var h = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) {
    let scale = ieee_mul(ieee_mul(upstream, own[i]), w[i]);
    let hits = ieee_mul(pos[i], t[i]);
    let mass = ieee_sub(ieee_add(hits, ONE), t[i]);
    g[i] = ieee_mul(ieee_sub(ieee_mul(mass, sigmoid(x[i])), hits), scale);
    if (TARGET_GRADIENT) {
      var slope = x[i] ^ 0x80000000u; // without a weight of the positives softplus(-x) - softplus(x) is -x, exactly
      if (POS_WEIGHT) { slope = ieee_sub(ieee_mul(pos[i], softplus_negative(x[i])), softplus_negative(x[i] ^ 0x80000000u)); }
      h[i] = ieee_mul(slope, scale);
    }
  }
  store_grad(row, c, g);
  store_gradTargets(row, c, h);
}
