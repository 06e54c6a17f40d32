fn store_NAME(row: u32, c: u32, v: vec4<u32>) {
  if (c < params.classes) { BUFFER[(place_NAME(row) + c) >> 2u] = pack_PACKING(v); }
}
