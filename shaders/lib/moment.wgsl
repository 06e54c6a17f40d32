// Next to the running softmax, the mean distance of the logits from the maximum: moment = sum exp(x_j - max) (max - x_j), so that the
// entropy is log S + moment / S: a sum of two terms that are never negative.

fn softmax_sum(s: Softmax) -> f32 { return keep(s.ties + s.rest); }

// The moment about a higher maximum.
fn moment_about(s: Softmax, moment: f32, top: i32) -> f32 {
  let rise = -softmax_gap(key_value(s.top), key_value(top));
  let moved = keep(softmax_shrink(s.top, top) * keep(moment + keep(rise * softmax_sum(s))));
  return select(select(0.0, moved, rise <= REACH), moment, s.top == top);
}

fn moments(x: vec4<u32>, top: f32) -> f32 {
  let gaps = softmax_gaps(x, top);
  return sum4(select(vec4<f32>(), keep4(exp_gap(gaps) * -gaps), within_reach(gaps)));
}

// Takes in sixteen logits. `old`: the softmax before them, `top`: the key of the maximum with them.
fn moment_absorb(
  old: Softmax, moment: f32, top: i32, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>
) -> f32 {
  let peak = key_value(top);
  let own = sum4(vec4<f32>(moments(x0, peak), moments(x1, peak), moments(x2, peak), moments(x3, peak)));
  return keep(moment_about(old, moment, top) + own);
}

// `top`: the key of the maximum of both.
fn moment_merge(a: Softmax, a_moment: f32, b: Softmax, b_moment: f32, top: i32) -> f32 {
  return keep(moment_about(a, a_moment, top) + moment_about(b, b_moment, top));
}
