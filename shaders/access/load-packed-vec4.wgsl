// Rows of whole, aligned groups of four 16-bit elements.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  if (c >= params.classes) { return vec4<u32>(PAD); }
  return unpack_PACKING(BUFFER[(place_NAME(row) + c) >> 2u]);
}
fn pick_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c;
  return unpack_PACKING(vec2<u32>(BUFFER[at >> 2u][(at >> 1u) & 1u] >> (16u * (at & 1u)), 0u)).x;
}
