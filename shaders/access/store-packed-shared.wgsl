// 16-bit elements, of which two threads may share a word. Each changes its own half: only it does, so that exclusive or with the
// difference sets that half and leaves the other, whatever becomes of that meanwhile.
fn store_half_NAME(at: u32, h: u32) {
  let shift = 16u * (at & 1u);
  let old = (atomicLoad(&BUFFER[at >> 1u]) >> shift) & 0xffffu;
  atomicXor(&BUFFER[at >> 1u], (old ^ h) << shift);
}
fn store_NAME(row: u32, c: u32, v: vec4<u32>) {
  let at = place_NAME(row) + c * STEP;
  let packed = pack_PACKING(v);
  if (STEP == 1u && c + 3u < params.classes) {
    // All of four neighbours are this thread's.
    if ((at & 1u) == 0u) {
      atomicStore(&BUFFER[at >> 1u], packed.x);
      atomicStore(&BUFFER[(at >> 1u) + 1u], packed.y);
    } else {
      store_half_NAME(at, packed.x & 0xffffu);
      atomicStore(&BUFFER[(at >> 1u) + 1u], (packed.x >> 16u) | (packed.y << 16u));
      store_half_NAME(at + 3u, packed.y >> 16u);
    }
    return;
  }
  for (var i = 0u; i < 4u && c + i < params.classes; i++) {
    store_half_NAME(at + i * STEP, (packed[i >> 1u] >> (16u * (i & 1u))) & 0xffffu);
  }
}
fn poke_NAME(row: u32, c: u32, u: u32) {
  store_half_NAME(place_NAME(row) + c * STEP, pack_PACKING(vec4<u32>(u, 0u, 0u, 0u)).x & 0xffffu);
}
