fn store_NAME(row: u32, c: u32, v: vec4<u32>) {}
fn poke_NAME(row: u32, c: u32, u: u32) {}
