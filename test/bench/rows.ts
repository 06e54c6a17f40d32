import type { Row } from '../../bench/report/row.js';

/** A row of results with made-up numbers, but for these changes. */
export function rowOf(changes: Partial<Row>): Row {
  const around = (median: number) => ({
    p5: 0.8 * median,
    p25: 0.9 * median,
    median,
    p75: 1.1 * median,
    p95: 1.2 * median,
  });
  return {
    date: '2026-01-01T00:00:00.000Z',
    op: 'softmax',
    rows: 10,
    classes: 100,
    dtype: 'f32',
    contender: 'ours',
    adapter: {
      name: 'lavapipe',
      backend: 'webgpu',
      vendor: 'mesa',
      architecture: '',
      device: '',
      description: 'a software adapter',
      isFallbackAdapter: true,
      subgroupMinSize: 8,
      subgroupMaxSize: 8,
    },
    versions: { 'webgpu-loss': '0.1.0', revision: 'abc' },
    seed: 1,
    bytes: 8000,
    formula: '10·100·4 logits + 10·100·4 output',
    errorOverBound: 0.25,
    timing: {
      clock: 'wall',
      batch: 1,
      rounds: 3,
      ms: around(2),
      ratios: { copy: around(0.5), 'naive-64': around(3) },
    },
    gigabytesPerSecond: 0.004,
    firstCallMs: 12,
    encodeUs: 5,
    ...changes,
  };
}

/** A row of a linear layer. */
export function layerRowOf(changes: Partial<Row>): Row {
  return rowOf({
    op: 'linearCrossEntropyGrad',
    rows: 20,
    features: 12,
    classes: 1001,
    flops: 6 * 20 * 12 * 1001,
    flopsFormula: '2·20·12·1001 logits + 2·20·12·1001 gradHidden + 2·20·12·1001 gradWeight',
    gigaflopsPerSecond: 0.721,
    scratchBytes: 2 ** 20,
    ...changes,
  });
}
