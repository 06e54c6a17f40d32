// A step that is refused leaves nothing behind: a training loop that catches the error may go on for days.

import {
  crossEntropy,
  InvalidArgumentError,
  OutOfMemoryError,
  planCrossEntropy,
  type Tensor,
} from '../../src/index.js';
import { assert, equal, gpuCheck, refusesAll, sameBits } from './assert.js';
import type { Check } from './check.js';
import { contextOn, foreignBuffer, type Wraps } from './device.js';
import { blank, step, values } from './plans.js';

/** Sets of buffers that a plan stays bound to. */
const BOUND = 64;

/** The buffers of a device that were created and not destroyed, by label. */
class Alive {
  readonly labels: Set<string> = new Set();
  /** While true, there is no memory for buffers that are mapped from the start. */
  starving = false;
  private count = 0;

  readonly wraps: Wraps<GPUDevice> = {
    createBuffer: (own) => (descriptor) => {
      if (this.starving && descriptor.mappedAtCreation) throw new RangeError('createBuffer failed');
      const buffer = own(descriptor);
      const name = `${descriptor.label} ${this.count++}`;
      this.labels.add(name);
      // Native code insists on its own object, so that only its method is wrapped.
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.labels.delete(name);
        return destroy();
      };
      return buffer;
    },
  };
}

export function planLeakChecks(): Check[] {
  return [
    gpuCheck('plans: a step that is refused leaves no buffer behind', async (env, keep, device) => {
      const alive = new Alive();
      const ctx = keep(await contextOn(env, alive.wraps));
      const shape = [3, 8];
      const plan = keep(await planCrossEntropy(ctx, { shape, targets: 'index', grad: true }));
      // Logits at byte 4, where four classes cannot be loaded at once.
      const shifted = new Float32Array(25);
      shifted.set(values(24), 1);
      const misaligned = { buffer: keep(foreignBuffer(device, shifted)), offset: 4 };
      const logits = keep(ctx.tensor(values(24), shape));
      const targets = keep(ctx.tensor(Int32Array.of(1, 0, 7), [3]));
      const bindings = { logits, targets, loss: blank(ctx, keep, []), grad: blank(ctx, keep, shape) };
      const before = [...alive.labels].join();
      await refusesAll(InvalidArgumentError, 'throws', [
        [
          'misaligned logits',
          () => step(ctx, plan, { ...bindings, logits: misaligned }),
          /logits.*byte 4.*vec4: false/,
        ],
      ]);
      equal([...alive.labels].join(), before, 'what lives after misaligned logits');
      alive.starving = true;
      await refusesAll(OutOfMemoryError, 'throws', [
        ['no memory', () => step(ctx, plan, bindings), /no \d+ bytes for parameters/],
      ]);
      alive.starving = false;
      equal([...alive.labels].join(), before, 'what lives after a step without memory');
      step(ctx, plan, bindings);
      equal(alive.labels.size - before.split(',').length, 2, 'parameters and census of a step that runs');
      assert(Number.isFinite((await bindings.loss.read())[0]), 'the loss of a step that runs');
    }),
    gpuCheck('plans: trim lets go of buffers met long ago, and nothing else', async (env, keep) => {
      const alive = new Alive();
      const ctx = keep(await contextOn(env, alive.wraps));
      const shape = [2, 4];
      const plan = keep(
        await planCrossEntropy(ctx, { shape, targets: 'index', policy: { workgroupSize: 8 } }),
      );
      const targets = keep(ctx.tensor(Int32Array.of(1, 3), [2]));
      const [first, loss] = [blank(ctx, keep, []), blank(ctx, keep, [])];
      const logits = Array.from({ length: BOUND + 6 }, (_, k) => keep(ctx.tensor(values(8, k), shape)));
      const before = alive.labels.size;
      for (const [k, each] of logits.entries()) {
        step(ctx, plan, { logits: each, targets, loss: k === 0 ? first : loss });
      }
      equal(alive.labels.size - before, 2 * logits.length, 'parameters and censuses of all sets');
      plan.trim();
      // The first loss may still be asked whether its targets were in range.
      equal(alive.labels.size - before, 2 * BOUND + 1, 'those of the last sets, and the census of the first');
      const { loss: expected } = await crossEntropy(logits[0] as Tensor, targets);
      sameBits(await first.read(), await keep(expected).read(), 'the loss of a set that was let go');
      step(ctx, plan, { logits: logits[0] as Tensor, targets, loss });
      sameBits(await loss.read(), await first.read(), 'the loss of the same buffers, bound anew');
      plan.destroy();
      plan.trim();
    }),
  ];
}
