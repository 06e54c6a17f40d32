// What the divergences of all kinds of target share. They work with halves of u_j = log q_j - log p_j, which may pass the largest float.

// The student's distribution, known from a pass of its own.
fn student_of(row: u32) -> Distribution {
  let at = 3u * row_number(row);
  return Distribution(bitcast<i32>(get_student(at)), bitcast<f32>(get_student(at + 1u)), bitcast<f32>(get_student(at + 2u)));
}

// w_j half_j, where half_j = gap_j / T + something small. A small temperature may take the half itself past the largest float.
fn weighed(w: vec4<f32>, gap: vec4<f32>, half: vec4<f32>) -> vec4<f32> {
  if (!TEMPERED) { return w * half; }
  return select((w * gap) * params.gap_scale, w * half, abs(half) < vec4<f32>(3e38));
}

// The divergence of a row as it is asked for, from its half.
fn whole_divergence(half: u32) -> u32 {
  let gain = bitcast<u32>(params.gain);
  return twice(ieee_mul(ieee_mul(half, gain), gain));
}
