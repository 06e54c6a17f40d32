// Binary cross-entropy with a loss for each element. Needs no statistic.
alias Row = u32; // the upstream gradient

fn row_load(row: u32) -> Row { return upstream_of(row); }

fn emit_usual(row: u32, upstream: Row, c: u32) -> bool {
  let e = elements_of(row, c);
  let tail = tails(e.x);
  let s = softpluses(e.x, tail);
  let losses = bitcast<vec4<u32>>(usual_losses(e, s));
  let g = usual_gradients(row, c, e, tail, s, upstream);
  if (g.odd || any_special(losses)) { return false; }
  store_loss(row, c, losses);
  store_grad(row, c, g.logits);
  store_gradTargets(row, c, g.targets);
  return true;
}

fn emit_odd(row: u32, upstream: Row, c: u32) {
  store_loss(row, c, element_losses(elements_of(row, c), c));
  emit_odd_gradients(row, upstream, c);
}
