fn store_NAME(row: u32, c: u32, v: vec4<u32>) { BUFFER[(place_NAME(row) + c) >> 2u] = v; }
fn poke_NAME(row: u32, c: u32, u: u32) {
  let at = place_NAME(row) + c;
  BUFFER[at >> 2u][at & 3u] = u;
}
