// What the panel shows of the language model whose head is nearly all of it.
import * as Plot from '@observablehq/plot';
import { CONTEXT } from '../../examples/language-model/batch.js';
import { type Memory, memoryOf } from '../../examples/language-model/memory.js';
import { runningMean } from '../../examples/language-model/train.js';
import { element, figureList } from '../dom.js';
import { bytes, count, digits, fixed } from '../format.js';
import { COLORS, FAINT, legend, plotArea, strokeOf } from '../plot.js';
import type { Reading, UntrainedHead } from './messages.js';
import { headMilestones } from './milestones.js';
import { stepAxis } from './stepAxis.js';
import { STEPS_A_RUN } from './training.js';
import type { View } from './view.js';

const LINES = {
  batches: { label: 'of the latest batches', color: COLORS[0] },
  heldOut: { label: 'of text held out', color: COLORS[1] },
  uniform: { label: 'every token equally likely', color: FAINT, dashed: true },
  unigram: { label: 'frequencies alone', color: COLORS[2], dashed: true },
};

export function headView(): View {
  const figures = figureList({
    step: 'step',
    crossEntropy: 'cross-entropy, latest batches',
    heldOut: 'cross-entropy, held-out text',
    perplexity: 'perplexity, held-out text',
    unigram: 'entropy of the frequencies',
    logits: 'logits and gradient, never held',
    scratch: 'scratch memory used',
    parameters: 'parameters',
    training: 'their gradients, optimizers',
  });
  const plot = plotArea();
  const size = element('p');
  let model: UntrainedHead | undefined;
  let milestone: View['milestone'] = () => undefined;
  const showMemory = ({ logits, parameters, gradients, optimizer }: Omit<Memory, 'scratch'>): void =>
    figures.set({
      logits: bytes(logits),
      parameters: bytes(parameters),
      training: `${bytes(gradients)}, ${bytes(optimizer)}`,
    });
  return {
    introduction: element(
      'p',
      {},
      'A language model of ',
      element('cite', {}, 'Moby Dick'),
      ` in tokens of o200k_base, a vocabulary of 200,019. What the last ${CONTEXT} tokens make together is a short vector, and the head makes a logit of it for each ` +
        'token that may come next. Their cross-entropy and its gradients are ',
      element('code', {}, 'linearCrossEntropy'),
      ': the logits are never all there.',
    ),
    root: element(
      'div',
      {},
      figures.root,
      element('h3', {}, 'Cross-entropy'),
      legend(Object.values(LINES)),
      plot.root,
    ),
    about: element(
      'div',
      {},
      size,
      element(
        'p',
        {},
        `Each step learns from places of the book drawn at random, all but its last tenth, which is held out. Head and positions have Adam, the ` +
          `embeddings Adagrad, for the tokens of the batch alone. The training rests every ${STEPS_A_RUN} steps; Start goes on.`,
      ),
    ),
    begin(untrained) {
      model = untrained as UntrainedHead;
      const { sizes, restShare, baselines } = model;
      const { uniform, unigram } = baselines;
      milestone = headMilestones(model.baselines);
      const vocabulary =
        restShare === 0
          ? `The model knows all ${count(sizes.classes)} tokens`
          : `The model knows the ${count(model.vocabulary)} commonest tokens, and one more for all others, ${(100 * restShare).toFixed(1)}\u00a0% of the text`;
      size.textContent =
        `${vocabulary}, with ${count(sizes.features)} features each; a step learns from ${count(sizes.rows)} places. Untrained, it holds every token for ` +
        `equally likely: ln ${count(sizes.classes)} = ${fixed(uniform)} nats. Who knows the frequencies alone needs ${fixed(unigram)}.`;
      figures.set({ unigram: `${fixed(unigram)} nats`, scratch: 'known after Start' });
      showMemory(memoryOf(sizes));
      return `a language model of ${count(sizes.classes)} tokens`;
    },
    hold(memory) {
      const { scratch } = memory;
      figures.set({ scratch: scratch === 0 ? 'none on a device' : bytes(scratch) });
      showMemory(memory);
    },
    draw(readings, looks) {
      if (model === undefined) return;
      const { uniform, unigram } = model.baselines;
      const batches = latestOf(readings);
      const measured = looks.flatMap(({ step, heldOut }) =>
        heldOut === undefined ? [] : [{ step, heldOut }],
      );
      const { step, crossEntropy } = batches.at(-1) ?? { step: 0, crossEntropy: uniform };
      const { heldOut } = measured.at(-1) ?? { heldOut: uniform };
      figures.set({
        step: count(step),
        crossEntropy: `${fixed(crossEntropy)} nats`,
        heldOut: `${fixed(heldOut)} nats`,
        perplexity: perplexity(heldOut),
      });
      const least = Math.min(
        unigram,
        ...batches.map((each) => each.crossEntropy),
        ...measured.map((each) => each.heldOut),
      );
      plot.draw(
        {
          x: stepAxis(readings.at(-1)),
          y: { domain: [Math.floor(least - 0.25), uniform + 0.25], label: 'nats a token', grid: true },
          marks: [
            Plot.ruleY([uniform], strokeOf(LINES.uniform)),
            Plot.ruleY([unigram], strokeOf(LINES.unigram)),
            Plot.line(batches, {
              x: 'step',
              y: 'crossEntropy',
              stroke: LINES.batches.color,
              strokeWidth: 2.5,
            }),
            Plot.line(measured, { x: 'step', y: 'heldOut', stroke: LINES.heldOut.color, strokeWidth: 2.5 }),
            Plot.dot(measured, { x: 'step', y: 'heldOut', r: 3, fill: LINES.heldOut.color }),
          ],
        },
        `The cross-entropy over the steps, from ${fixed(uniform)} nats, where every token is equally likely; the frequencies alone need ${fixed(unigram)}. ` +
          (batches.length === 0
            ? 'Nothing is trained yet.'
            : `At step ${count(step)}: ${fixed(crossEntropy)} nats, and ${fixed(heldOut)} on text held out.`),
      );
    },
    milestone: (reading) => milestone(reading),
    summary(readings) {
      const crossEntropy = latestOf(readings).at(-1)?.crossEntropy ?? Number.NaN;
      const unigram = model?.baselines.unigram ?? Number.NaN;
      return `the cross-entropy is ${fixed(crossEntropy)} nats, ${crossEntropy < unigram ? 'below' : 'not below'} what the frequencies alone need`;
    },
  };
}

/** With the mean of the latest batches in the place of each one's own. */
function latestOf(readings: readonly Reading[]): readonly Reading[] {
  const mean = runningMean();
  return readings.map(({ step, crossEntropy }) => ({ step, crossEntropy: mean(crossEntropy) }));
}

function perplexity(nats: number): string {
  return digits(Math.exp(nats));
}
