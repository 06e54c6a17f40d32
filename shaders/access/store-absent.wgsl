fn store_NAME(row: u32, c: u32, v: vec4<u32>) {}
