import { describe, expect, test } from 'vitest';
import type { Case } from '../../bench/measure/contender.js';
import { checkSize, MOST_ELEMENTS, readCount, sweepOf } from '../../demo/measure/request.js';
import type { AdapterLimits } from '../../src/info.js';

const MIB = 2 ** 20;
const limits = (maxBufferSize: number, maxStorageBufferBindingSize: number): AdapterLimits => ({
  maxBufferSize,
  maxStorageBufferBindingSize,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16384,
  minStorageBufferOffsetAlignment: 256,
  minUniformBufferOffsetAlignment: 256,
});
const usual = limits(256 * MIB, 128 * MIB);
const of = (rows: number, classes: number, dtype: Case['dtype'] = 'f32'): Case => ({
  op: 'softmax',
  rows,
  classes,
  dtype,
});

describe('a request to measure', () => {
  test('takes whole numbers from 1', () => {
    expect(readCount('Rows', ' 12 ')).toBe(12);
    expect(readCount('Rows', '1e3')).toBe(1000);
    for (const text of ['', ' ', '0', '-1', '1.5', 'ten', '1e300', 'NaN', 'Infinity']) {
      expect(() => readCount('Rows', text), text).toThrow(RangeError);
    }
  });

  test('fits in what the device binds at once, by the bytes of its numbers', () => {
    const small = limits(4 * MIB, MIB);
    checkSize(of(1024, 256), small);
    expect(() => checkSize(of(1024, 257), small)).toThrow(
      'logits of 1,024 × 257 f32 has 1.004 MiB; this device binds at most 1 MiB at once. Take fewer rows or classes.',
    );
    checkSize(of(1024, 257, 'f16'), small);
    expect(() => checkSize(of(1024, 256), limits(MIB / 2, MIB))).toThrow(/at most 512 KiB/);
  });

  test('is no larger than a page can check', () => {
    checkSize(of(MOST_ELEMENTS / 8, 8), usual);
    expect(() => checkSize(of(MOST_ELEMENTS / 8 + 1, 8), usual)).toThrow(/at most 8,388,608\. Take fewer/);
  });

  test('sweeps in powers of two, always with about as many logits', () => {
    expect(sweepOf(of(100, 10), usual).map(({ rows, classes }) => [rows, classes])).toEqual(
      [8, 16, 32, 64, 128, 256, 512, 1024].map((classes) => [1024 / classes, classes]),
    );
    const most = sweepOf(of(MOST_ELEMENTS / 8, 8), usual);
    expect(most.at(-1)).toEqual(of(32, 262144));
    expect(() => sweepOf(of(1, 3), usual)).toThrow('A sweep needs at least 16 logits; 3 are too few.');
    expect(() => sweepOf(of(1024, 512), limits(MIB, MIB))).toThrow(/Take fewer/);
  });
});
