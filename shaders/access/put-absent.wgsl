fn put_NAME(at: u32, v: u32) {}
