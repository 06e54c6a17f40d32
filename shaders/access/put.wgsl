fn put_NAME(at: u32, v: u32) { BUFFER[first_NAME() + at] = v; }
