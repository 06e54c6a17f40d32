// Rows of whole, aligned vec4s.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  if (c >= params.classes) { return vec4<u32>(PAD); }
  return BUFFER[(place_NAME(row) + c) >> 2u];
}
fn pick_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c;
  return BUFFER[at >> 2u][at & 3u];
}
