// Rows of any length, classes `STEP` elements apart.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  let at = place_NAME(row) + c * STEP;
  if (c + 3u < params.classes) {
    return vec4<u32>(BUFFER[at], BUFFER[at + STEP], BUFFER[at + 2u * STEP], BUFFER[at + 3u * STEP]);
  }
  var v = vec4<u32>(PAD);
  if (c < params.classes) { v.x = BUFFER[at]; }
  if (c + 1u < params.classes) { v.y = BUFFER[at + STEP]; }
  if (c + 2u < params.classes) { v.z = BUFFER[at + 2u * STEP]; }
  return v;
}
fn pick_NAME(row: u32, c: u32) -> u32 { return BUFFER[place_NAME(row) + c * STEP]; }
