// Rows of A that all threads of a workgroup need: each reads them for itself.
struct Lane { @builtin(local_invocation_index) index: u32 }

fn shared_a(lane: Lane, row: u32, k: u32) -> mat4x4<f32> { return block_a(row, k); }
