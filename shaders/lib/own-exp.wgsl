// Gradients that have the exp of x_j as a factor. NaN and +Inf are their own exp; with +Inf the gradient is `infinite`.
fn with_own_exps(d: vec4<u32>, x: vec4<u32>, infinite: u32) -> vec4<u32> {
  let special = select(vec4<u32>(BITS_NAN), vec4<u32>(infinite), x == vec4<u32>(BITS_INF));
  let odd = ((x & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF)) & (x != vec4<u32>(BITS_NEG_INF));
  return select(d, special, odd);
}
