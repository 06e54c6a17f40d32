// Four neighbours of a line of any length. Behind the end the last one is read and not used.
fn four_NAME(line: u32, at: u32) -> vec4<f32> {
  let first = place_NAME(min(line, lines_NAME() - 1u));
  let i = vec4<u32>(first) + min(vec4<u32>(at, at + 1u, at + 2u, at + 3u), vec4<u32>(length_NAME() - 1u));
  return vec4<f32>(BUFFER[i.x], BUFFER[i.y], BUFFER[i.z], BUFFER[i.w]);
}
