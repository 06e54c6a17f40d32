fn get_NAME(at: u32) -> u32 { return DEFAULT; }
