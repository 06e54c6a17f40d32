fn store_NAME(row: u32, c: u32, v: vec4<u32>) { BUFFER[(place_NAME(row) + c) >> 2u] = pack_PACKING(v); }
fn poke_NAME(row: u32, c: u32, u: u32) {
  let at = place_NAME(row) + c;
  let shift = 16u * (at & 1u);
  let word = BUFFER[at >> 2u][(at >> 1u) & 1u] & (0xffff0000u >> shift);
  BUFFER[at >> 2u][(at >> 1u) & 1u] = word | ((pack_PACKING(vec4<u32>(u, 0u, 0u, 0u)).x & 0xffffu) << shift);
}
