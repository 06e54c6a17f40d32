// Calls take effect in the order they are made, awaited or not; and what a call leaves behind: verdicts, buffers, memory of arguments.

import * as cpu from '../../src/cpu.js';
import {
  crossEntropy,
  InvalidArgumentError,
  LossError,
  logSumExp,
  planSoftmax,
  softmax,
  TargetOutOfRangeError,
} from '../../src/index.js';
import { assert, check, equal, gpuCheck, refusesAll, rejects, sameBits } from './assert.js';
import type { Check } from './check.js';
import { Calls, contextOn, counting, foreignBuffer } from './device.js';
import { numbers, rejection } from './tensors.js';

const SHAPE = [3, 5];

function sines(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => 3 * Math.sin(1.7 * i));
}

/** What holds in contexts of both kinds: a reproducible one on the CPU has more to load before it can compute. */
function takingEffect(reproducible: boolean): Check[] {
  const kind = reproducible ? ', reproducibly' : '';
  return [
    check(`order: a gradient in place, then a call that reads it${kind}`, async (env, keep) => {
      // A context of its own, so that the first round compiles and the second does not.
      const ctx = keep(await env.createContext({ reproducible }));
      const expected = Float32Array.from(
        cpu.softmax(
          Float32Array.from(
            cpu.crossEntropy(sines(15), Int32Array.of(0, 1, 2), SHAPE, { grad: true }).grad ?? [],
          ),
          SHAPE,
        ),
      );
      for (const round of ['cold', 'warm']) {
        const x = keep(ctx.tensor(sines(15), SHAPE));
        const calls = [crossEntropy(x, Int32Array.of(0, 1, 2), { grad: 'in-place' }), softmax(x)] as const;
        const [{ loss }, probs] = await Promise.all(calls);
        keep(loss);
        (await numbers(keep(probs))).forEach((p, i) => {
          const exact = expected[i] as number;
          assert(
            Math.abs(p - exact) < 1e-5,
            `${round}: softmax[${i}] is ${p}, of the gradient it is ${exact}`,
          );
        });
      }
    }),
    check(`order: arguments written to or destroyed after the call${kind}`, async (env, keep) => {
      const ctx = keep(await env.createContext({ reproducible }));
      const expected = await numbers(keep(await softmax(keep(ctx.tensor(sines(15), SHAPE)))));
      const fresh = keep(await env.createContext({ reproducible }));
      const x = keep(fresh.tensor(sines(15), SHAPE));
      const pending = softmax(x);
      const data = new Float32Array(15).fill(7);
      x.write(data);
      data.fill(0);
      sameBits(await numbers(keep(await pending)), expected, 'softmax of what was there at the call');
      sameBits(await numbers(x), new Float32Array(15).fill(7), 'what was written');
      const read = keep(fresh.tensor(sines(15), SHAPE));
      const [probs, elements] = [softmax(read), read.read()];
      read.destroy();
      keep(await probs);
      sameBits((await elements) as Float32Array, sines(15), 'elements of a tensor destroyed after the read');
      const y = keep(fresh.tensor(sines(15), SHAPE));
      const other = logSumExp(y, { keepDims: true });
      y.destroy();
      equal((await numbers(keep(await other))).length, 3, 'rows of a tensor destroyed after the call');
      await rejects(InvalidArgumentError, softmax(y), 'softmax of a destroyed tensor', /destroyed/);
    }),
    check(`order: nothing awaited between calls, reads and writes${kind}`, async (env, keep) => {
      const ctx = keep(await env.createContext({ reproducible }));
      const written = Float32Array.from(sines(15), (x) => -2 * x);
      const [before, after] = await Promise.all(
        [sines(15), written].map(async (data) => numbers(keep(await softmax(keep(ctx.tensor(data, SHAPE)))))),
      );
      for (const round of ['first', 'second']) {
        const x = keep(ctx.tensor(sines(15), SHAPE));
        const calls = [softmax(x), x.read()] as const;
        x.write(written);
        const later = [softmax(x), x.read()] as const;
        sameBits(
          await numbers(keep(await calls[0])),
          before as Float32Array,
          `${round}: softmax before the write`,
        );
        sameBits((await calls[1]) as Float32Array, sines(15), `${round}: read before the write`);
        sameBits(
          await numbers(keep(await later[0])),
          after as Float32Array,
          `${round}: softmax after the write`,
        );
        sameBits((await later[1]) as Float32Array, written, `${round}: read after the write`);
        const y = keep(ctx.tensor(sines(15), SHAPE));
        const loss = crossEntropy(y, Int32Array.of(0, 1, 2), { grad: 'in-place' });
        y.write(written);
        const probs = softmax(y);
        keep((await loss).loss);
        sameBits(
          await numbers(keep(await probs)),
          after as Float32Array,
          `${round}: a gradient in place, written over`,
        );
        sameBits(await numbers(y), written, `${round}: what was written over a gradient`);
      }
    }),
    check(`order: a context that is destroyed after the call${kind}`, async (env, keep) => {
      const ctx = keep(await env.createContext({ reproducible }));
      const x = keep(ctx.tensor(sines(15), SHAPE));
      const pending = rejection(softmax(x));
      ctx.destroy();
      const error = await pending;
      // The CPU has done its work when the call returns, where it need not load anything first.
      if (ctx.backend === 'cpu' && !reproducible)
        equal(error, 'no error at all', 'what a call that was done tells');
      else assert(error instanceof LossError && /destroyed|lost/.test(error.message), `told as ${error}`);
    }),
  ];
}

export function orderChecks(): Check[] {
  return [
    ...[false, true].flatMap(takingEffect),
    check('order: a bad target is told by whatever was computed from it', async (env, keep) => {
      const { ctx } = env;
      const warm = keep(ctx.tensor(sines(15), SHAPE));
      keep((await crossEntropy(warm, Int32Array.of(0, 1, 2), { grad: 'in-place' })).loss);
      keep(await softmax(warm));
      const x = keep(ctx.tensor(sines(15), SHAPE));
      const [{ loss }, probs] = await Promise.all([
        crossEntropy(x, Int32Array.of(0, 9, 2), { grad: 'in-place' }),
        softmax(x),
      ]);
      keep(loss);
      for (const [name, tensor] of Object.entries({ loss, x, probs: keep(probs) })) {
        const error = await rejection(tensor.read());
        assert(error instanceof TargetOutOfRangeError, `${name}: TargetOutOfRangeError, not ${error}`);
        equal([error.row, error.value].join(), '1,9', `${name}: the bad row`);
      }
    }),
    gpuCheck(
      'order: gradients in place again and again hold a bounded number of buffers',
      async (env, keep) => {
        const calls = new Calls();
        const ctx = keep(await contextOn(env, counting(calls)));
        const x = keep(ctx.tensor(sines(15), SHAPE));
        for (let step = 0; step < 40; step++) {
          const { loss } = await crossEntropy(x, Int32Array.of(0, 1, 2), { grad: 'in-place' });
          loss.destroy();
        }
        calls.clear();
        await x.read();
        // One copy of the elements, and one of each open verdict: a few, not forty.
        assert(calls.of('createBuffer') <= 10, `one read created ${calls.of('createBuffer')} buffers`);
      },
    ),
    check(
      'order: a weighted mean where the rows are a multiple of four and the classes are not',
      async (env, keep) => {
        for (const classes of [5, 6, 21]) {
          const shape = [8, classes];
          const logits = sines(8 * classes);
          const targets = Int32Array.from({ length: 8 }, (_, r) => (r === 0 ? 0 : classes - 1));
          const weight = new Float32Array(classes).fill(1);
          weight[classes - 1] = 100;
          const { loss } = await crossEntropy(keep(env.ctx.tensor(logits, shape)), targets, { weight });
          const [actual = Number.NaN] = await numbers(keep(loss));
          const exact = cpu.crossEntropy(logits, targets, shape, { weight }).loss[0] as number;
          assert(Math.abs(actual - exact) < 1e-5 * exact, `${classes} classes: ${actual}, expected ${exact}`);
        }
      },
    ),
    check('order: a policy in two parts is checked as a whole', async (env, keep) => {
      const ctx = keep(await env.createContext({ policy: { strategy: 'split-row', segment: 1024 } }));
      const x = keep(ctx.tensor(sines(20_000), [1, 20_000]));
      await refusesAll(InvalidArgumentError, 'rejects', [
        [
          'a workgroup too large for the segment',
          () => logSumExp(x, { policy: { workgroupSize: 256 } }),
          /segment/,
        ],
      ]);
    }),
    gpuCheck(
      'order: buffers of a few bytes, and at the end of a larger one',
      async ({ ctx }, keep, device) => {
        const x = keep(ctx.tensor(sines(5), [1, 5]));
        const expected = await numbers(keep((await crossEntropy(x, Int32Array.of(3))).loss));
        const small = keep(foreignBuffer(device, Int32Array.of(3)));
        const words = new Int32Array(65);
        words[64] = 3;
        const large = keep(foreignBuffer(device, words));
        for (const targets of [
          ctx.fromBuffer(small, [1], { dtype: 'i32' }),
          ctx.fromBuffer(large, [1], { dtype: 'i32', byteOffset: 256 }),
        ]) {
          sameBits(await numbers(keep((await crossEntropy(x, targets)).loss)), expected, 'loss');
        }
      },
    ),
    gpuCheck(
      'order: padded rows only along the last axis, and only by their right names',
      async ({ ctx }, keep, device) => {
        const buffer = keep(foreignBuffer(device, sines(64)));
        const padded = ctx.fromBuffer(buffer, [2, 3, 1], { rowStride: 2 });
        const plan = keep(await planSoftmax(ctx, { shape: [2, 4] }));
        const output = keep(ctx.tensor(new Float32Array(8), [2, 4]));
        const encoder = device.createCommandEncoder();
        await refusesAll(InvalidArgumentError, 'rejects', [
          ['softmax along axis 1', () => softmax(padded, { axis: 1 }), /padded rows/],
        ]);
        await refusesAll(InvalidArgumentError, 'throws', [
          [
            'offset for byteOffset',
            () => ctx.fromBuffer(buffer, [2, 2], { offset: 16 } as never),
            /offset.*byteOffset/,
          ],
          [
            'byteOffset for offset',
            () => plan.encode(encoder, { logits: { buffer, byteOffset: 64 } as never, output }),
            /byteOffset.*offset/,
          ],
        ]);
      },
    ),
    check('order: temperatures and soft caps that float32 cannot invert', async ({ ctx }, keep) => {
      const x = keep(ctx.tensor(sines(15), SHAPE));
      const targets = Int32Array.of(0, 1, 2);
      await refusesAll(InvalidArgumentError, 'rejects', [
        ['a huge temperature', () => softmax(x, { temperature: 9e37 }), /temperature/],
        [
          'a product too small',
          () => crossEntropy(x, targets, { softcap: 1e-20, temperature: 1e-20 }),
          /softcap/,
        ],
      ]);
      // Just inside: the distribution is uniform.
      const [p = 0] = await numbers(keep(await softmax(x, { temperature: 8e37 })));
      assert(Math.abs(p - 0.2) < 1e-6, `softmax at temperature 8e37 is ${p}`);
    }),
  ];
}
