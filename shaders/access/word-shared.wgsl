fn word_NAME(at: u32) -> u32 { return atomicLoad(&BUFFER[at]); }
