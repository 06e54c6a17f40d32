fn load_NAME(row: u32, c: u32) -> vec4<u32> { return vec4<u32>(DEFAULT); }
fn pick_NAME(row: u32, c: u32) -> u32 { return DEFAULT; }
