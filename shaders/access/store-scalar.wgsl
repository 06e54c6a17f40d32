fn store_NAME(row: u32, c: u32, v: vec4<u32>) {
  let at = place_NAME(row) + c * STEP;
  let whole = c + 3u < params.classes;
  if (whole) {
    BUFFER[at] = v.x;
    BUFFER[at + STEP] = v.y;
    BUFFER[at + 2u * STEP] = v.z;
    BUFFER[at + 3u * STEP] = v.w;
  }
  for (var i = select(0u, 4u, whole); i < 4u && c + i < params.classes; i++) { BUFFER[at + i * STEP] = v[i]; }
}
fn poke_NAME(row: u32, c: u32, u: u32) { BUFFER[place_NAME(row) + c * STEP] = u; }
