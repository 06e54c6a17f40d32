// Next to the running softmax, the mean distance of the logits from the maximum: moment = sum exp(x_j - max) (max - x_j), so that the
// entropy is log S + moment / S: a sum of two terms that are never negative.

fn softmax_sum(s: Softmax) -> f32 { return keep(s.ties + s.rest); }

// The moment about a higher maximum.
fn moment_about(s: Softmax, moment: f32, top: i32) -> f32 {
  let reachable = s.top >= softmax_reach(top);
  let grown = keep(moment + keep(keep(key_value(top) - key_value(s.top)) * softmax_sum(s)));
  let moved = keep(softmax_shrink(s.top, top) * grown);
  return select(select(0.0, moved, reachable), moment, s.top == top);
}

fn moments(x: vec4<u32>, top: i32, reach: i32) -> f32 {
  let keys = order_keys(x);
  let terms = softmax_terms(x, keys, top, reach);
  let gaps = select(vec4<f32>(), keep4(vec4<f32>(key_value(top)) - bitcast<vec4<f32>>(x)), keys >= vec4<i32>(reach));
  return sum4(keep4(terms * gaps));
}

// Takes in sixteen logits. `old`: the softmax before them, `top`: the key of the maximum with them.
fn moment_absorb(
  old: Softmax, moment: f32, top: i32, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>
) -> f32 {
  let reach = softmax_reach(top);
  let own = sum4(vec4<f32>(moments(x0, top, reach), moments(x1, top, reach), moments(x2, top, reach), moments(x3, top, reach)));
  return keep(moment_about(old, moment, top) + own);
}

// `top`: the key of the maximum of both.
fn moment_merge(a: Softmax, a_moment: f32, b: Softmax, b_moment: f32, top: i32) -> f32 {
  return keep(moment_about(a, a_moment, top) + moment_about(b, b_moment, top));
}
