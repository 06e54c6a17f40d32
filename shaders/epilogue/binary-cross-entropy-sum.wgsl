// Binary cross-entropy, added up: a row's statistic is the sum of its losses, scaled so that it does not overflow where the mean fits.
alias RowInput = u32;
struct Row { loss: u32, upstream: u32 }

fn usual_terms(row: u32, c: u32) -> vec4<u32> {
  let e = elements_of(row, c);
  let v = bitcast<vec4<u32>>(usual_losses(e, softpluses(e.x, tails(e.x))) * params.prescale);
  return select(select(v, vec4<u32>(BITS_NAN), sizes(e) >= vec4<u32>(BITS_INF)), vec4<u32>(), !lanes_inside(c));
}

// NaN and infinities stand for what is not usual.
fn stat_absorb_usual(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) -> bool {
  let t0 = usual_terms(row, c);
  let t1 = usual_terms(row, c + step);
  let t2 = usual_terms(row, c + 2u * step);
  let t3 = usual_terms(row, c + 3u * step);
  if (any_special(t0) || any_special(t1) || any_special(t2) || any_special(t3)) { return false; }
  (*stat).sum += sum4(vec4<f32>(finite_sum(t0), finite_sum(t1), finite_sum(t2), finite_sum(t3)));
  return true;
}

fn terms(row: u32, c: u32) -> vec4<u32> {
  let v = element_losses(elements_of(row, c), c);
  let scaled = bitcast<vec4<u32>>(bitcast<vec4<f32>>(v) * params.prescale);
  return select(scaled, v, (v & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF));
}

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return Row(stat_sum(stat), upstream_of(row)); }
fn row_output(row: u32, r: Row) { put_losses(row_number(row), r.loss); }
fn row_store(at: u32, r: Row) {}
fn row_load(row: u32) -> Row { return Row(0u, upstream_of(row)); }

fn emit_usual(row: u32, r: Row, c: u32) -> bool {
  let e = elements_of(row, c);
  let tail = tails(e.x);
  var s: Softpluses;
  if (POS_WEIGHT) { s = softpluses(e.x, tail); }
  let g = usual_gradients(row, c, e, tail, s, r.upstream);
  if (g.odd) { return false; }
  store_grad(row, c, g.logits);
  store_gradTargets(row, c, g.targets);
  return true;
}

fn emit_odd(row: u32, r: Row, c: u32) { emit_odd_gradients(row, r.upstream, c); }
