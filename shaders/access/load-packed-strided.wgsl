// 16-bit elements whose classes are `params.inner` apart.
fn half_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c * params.inner;
  return (word_NAME(at >> 1u) >> (16u * (at & 1u))) & 0xffffu;
}
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  var halves = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) { halves[i] = half_NAME(row, c + i); }
  let packed = vec2<u32>(halves.x | (halves.y << 16u), halves.z | (halves.w << 16u));
  return select(vec4<u32>(PAD), unpack_PACKING(packed), lanes_inside(c));
}
fn pick_NAME(row: u32, c: u32) -> u32 { return unpack_PACKING(vec2<u32>(half_NAME(row, c), 0u)).x; }
