// Four neighbours of a line of any length, of 16-bit elements, two a word. Behind the end the last one is read and not used.
fn half_NAME(at: u32) -> u32 { return (BUFFER[at >> 1u] >> (16u * (at & 1u))) & 0xffffu; }
fn four_NAME(line: u32, at: u32) -> vec4<f32> {
  let first = place_NAME(min(line, lines_NAME() - 1u));
  let i = vec4<u32>(first) + min(vec4<u32>(at, at + 1u, at + 2u, at + 3u), vec4<u32>(length_NAME() - 1u));
  let words = vec2<u32>(half_NAME(i.x) | (half_NAME(i.y) << 16u), half_NAME(i.z) | (half_NAME(i.w) << 16u));
  return CONVERT(words);
}
