// Lines of C are padded to whole groups of four.
fn store_four(at: u32, column: u32, v: vec4<f32>) {
  if (params.adds == 1u) { buffer_c[at >> 2u] += v; } else { buffer_c[at >> 2u] = v; }
}
