fn store_NAME(row: u32, c: u32, v: vec4<u32>) {
  let at = place_NAME(row) + c * STEP;
  if (c < params.classes) { BUFFER[at] = v.x; }
  if (c + 1u < params.classes) { BUFFER[at + STEP] = v.y; }
  if (c + 2u < params.classes) { BUFFER[at + 2u * STEP] = v.z; }
  if (c + 3u < params.classes) { BUFFER[at + 3u * STEP] = v.w; }
}
fn poke_NAME(row: u32, c: u32, u: u32) { BUFFER[place_NAME(row) + c * STEP] = u; }
