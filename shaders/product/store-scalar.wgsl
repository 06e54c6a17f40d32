fn store_four(at: u32, column: u32, v: vec4<f32>) {
  for (var i = 0u; i < 4u && column + i < params.columns; i++) {
    if (params.adds == 1u) { buffer_c[at + i] += v[i]; } else { buffer_c[at + i] = v[i]; }
  }
}
