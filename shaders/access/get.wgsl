// One value a row; or one value for all, with a step of 0.
fn get_NAME(at: u32) -> u32 { return BUFFER[first_NAME() + at * step_NAME()]; }
