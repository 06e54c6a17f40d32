// Arithmetic as the device does it: every function is an operation of WGSL, or nothing at all.

fn hold(x: f32) -> f32 { return x; }
fn hold4(x: vec4<f32>) -> vec4<f32> { return x; }
fn keep(x: f32) -> f32 { return x; }
fn keep4(x: vec4<f32>) -> vec4<f32> { return x; }
fn keep_bits(x: f32) -> u32 { return bitcast<u32>(x); }
fn keep4_bits(x: vec4<f32>) -> vec4<u32> { return bitcast<vec4<u32>>(x); }
fn flushed(u: u32) -> u32 { return u; }
fn flushed4(u: vec4<u32>) -> vec4<u32> { return u; }
fn quotient(a: f32, b: f32) -> f32 { return a / b; }
fn quotient4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a / b; }

// Built-in exp: 3 + 2|d| ULP by the WGSL specification.
fn exp_gap(d: vec4<f32>) -> vec4<f32> { return exp(d); }
fn exp_gap_of(d: f32) -> f32 { return exp(d); }
