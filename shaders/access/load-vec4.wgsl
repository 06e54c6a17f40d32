// Rows of whole, aligned vec4s. Behind the end the last one is read and not used: drivers in software are slow at branches.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  if (WHOLE) { return BUFFER[(place_NAME(row) + c) >> 2u]; }
  let v = BUFFER[(place_NAME(row) + min(c, params.classes - 4u)) >> 2u];
  return select(v, vec4<u32>(PAD), c >= params.classes);
}
fn pick_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c;
  return BUFFER[at >> 2u][at & 3u];
}
