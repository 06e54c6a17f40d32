// A training loop that stays on the device: each step is one command buffer with the model's own kernels and, between them, a plan
// of webgpu-loss. Nothing is read back but the loss, every 25 steps.
//
//   npm run build && node examples/own-encoder.js
//
// The model is a softmax regression of points in a plane. It needs WebGPU; examples/README.md says what to do without a GPU.
import { createContext, planCrossEntropy } from 'webgpu-loss';
import { gpu } from 'webgpu-loss/node';
import { clouds } from './points.js';

const [POINTS, FEATURES, CLASSES, RATE] = [300, 3, 3, 1];
const code = /* wgsl */ `
  @group(0) @binding(0) var<storage, read> points: array<f32>;         // [POINTS, FEATURES]
  @group(0) @binding(1) var<storage, read_write> weights: array<f32>;  // [FEATURES, CLASSES]
  @group(0) @binding(2) var<storage, read_write> logits: array<f32>;   // [POINTS, CLASSES]; after the plan, their gradient

  @compute @workgroup_size(64) fn forward(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= ${POINTS * CLASSES}) { return; }
    var sum = 0.0;
    for (var k = 0u; k < ${FEATURES}; k++) {
      sum += points[id.x / ${CLASSES} * ${FEATURES} + k] * weights[k * ${CLASSES} + id.x % ${CLASSES}];
    }
    logits[id.x] = sum;
  }

  @compute @workgroup_size(64) fn update(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= ${FEATURES * CLASSES}) { return; }
    var slope = 0.0;
    for (var row = 0u; row < ${POINTS}; row++) {
      slope += points[row * ${FEATURES} + id.x / ${CLASSES}] * logits[row * ${CLASSES} + id.x % ${CLASSES}];
    }
    weights[id.x] -= ${RATE} * slope;
  }`;

const ctx = await createContext({ backend: 'webgpu', gpu: gpu() });
const { device } = ctx;
const { features, classes } = clouds(POINTS);
const points = ctx.tensor(features, [POINTS, FEATURES]);
const weights = ctx.tensor(new Float32Array(FEATURES * CLASSES), [FEATURES, CLASSES]);
const logits = ctx.tensor(new Float32Array(POINTS * CLASSES), [POINTS, CLASSES]);
const targets = ctx.tensor(classes, [POINTS]);
const loss = ctx.tensor(new Float32Array(1), []);
const plan = await planCrossEntropy(ctx, { shape: [POINTS, CLASSES], targets: 'index', grad: 'in-place' });

const module = device.createShaderModule({ code });
const [forward, update] = ['forward', 'update'].map((entryPoint) => {
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint } });
  const entries = [points, weights, logits].map(({ buffer }, binding) => ({ binding, resource: { buffer } }));
  return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
});
const dispatch = (encoder, { pipeline, group }, threads) => {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(threads / 64));
  pass.end();
};

for (let step = 0; step <= 100; step++) {
  const encoder = device.createCommandEncoder();
  dispatch(encoder, forward, POINTS * CLASSES);
  plan.encode(encoder, { logits, targets, loss });
  dispatch(encoder, update, FEATURES * CLASSES);
  device.queue.submit([encoder.finish()]);
  if (step % 25 === 0) console.log(`step ${step}: loss ${(await loss.read())[0].toFixed(4)} nats`);
}
plan.destroy();
ctx.destroy();
