// The adapters on the real frameworks, in Chromium: values and gradients against the oracle, training, leaks, errors.
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy, logitStats } from '../../../src/cpu.js';
import { decodeHalf, encodeHalf } from '../../../src/half.js';
import { layoutOf } from '../../../src/shape.js';
import { crossEntropyBounds } from '../../conformance/crossEntropyBounds.js';
import { hardLogits } from '../../conformance/data.js';
import { CaseRows } from '../../conformance/rows.js';
import { examplesOf, readMarkdown, root } from '../../docs/markdown.js';
import { entropyFacts, logProbabilityBound, U } from '../../support/bounds.js';
import { describeInChromium } from '../../support/chromium.js';
import { Ledger } from '../../support/ledger.js';
import type { Site } from '../../support/site.js';
import { describeWithFrameworks, here, newProject, servePages } from './build.js';
import { floatsOf, LOSS_CASES, type LossResult, type ThrownError, type Training } from './cases.js';

describeWithFrameworks('the adapters', () => {
  const project = newProject();
  let site: Site;

  beforeAll(async () => {
    if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no build: run `npm run build`');
    const names = ['tfjs.html', 'onnxruntime.html', 'jax.html'];
    site = await servePages(here('./pages'), names, join(project.folder, 'pages'));
  }, 300_000);

  afterAll(async () => {
    await site?.close();
    project.remove();
  });

  test('the real namespaces fit the types', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['-p', here('./pages')];
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: root }).catch(
      (error: { readonly stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  describeInChromium('in Chromium', (chromium) => {
    /** A page with the framework ready, and a way to call what it offers. */
    async function open(name: 'tfjs' | 'onnxruntime' | 'jax'): Promise<Caller> {
      const page = await chromium.newPage();
      await page.goto(`${site.url}${name}.html`);
      await page.waitForFunction(`window.${name}Page !== undefined`);
      const call = <T>(method: string, ...given: readonly unknown[]): Promise<T> =>
        page.evaluate(
          (object, own, values) =>
            (window as unknown as Record<string, Record<string, (...values: unknown[]) => Promise<unknown>>>)[
              object
            ]![own]!(...values),
          `${name}Page`,
          method,
          given,
        ) as Promise<T>;
      await call('open');
      return { page, call };
    }

    describe('TensorFlow.js', () => {
      test('values and gradients are those of the oracle', async () => {
        const { call } = await open('tfjs');
        expectLosses('tfjs', await call<LossResult[]>('values'));
      });

      test('an optimizer trains a model of layers, with a smaller last batch, and nothing is left behind', async () => {
        const { call } = await open('tfjs');
        expectTraining(await call<Training>('train'));
      });

      test('logits in ever new buffers leave nothing behind', async () => {
        const { call } = await open('tfjs');
        const { before, after } = await call<{ before: number; after: number }>('manyBuffers');
        expect(before).toBeGreaterThan(0);
        expect(after).toBe(before);
      });

      test('two losses share a tape, and tidy takes nothing that is still needed', async () => {
        const { call } = await open('tfjs');
        const { grads, alone, left } = await call<{ grads: number[]; alone: number[]; left: number }>(
          'together',
        );
        expect(left).toBe(0);
        expect(grads).toEqual(alone);
        expect(grads.some((value) => value !== 0)).toBe(true);
      });

      test('mistakes get errors that say what to do', async () => {
        const { call } = await open('tfjs');
        expectErrors(await call('errors'), {
          'nothing computed': /call the loss first/,
          'float labels': /labels are float32; int32 is needed: tf\.cast/,
          'labels of another length': /labels have shape \[3\] where \[2\] is needed/,
          'labels that are one-hot': /labels have shape \[2, 3\] where \[2\]/,
          'integer logits': /logits are int32; float32/,
          'another shape': /\[1, 3\] were not prepared; await loss\.prepare\(\[1, 3\]\)/,
          'no tensor': /logits must be a tf\.Tensor/,
          'a disposed tensor': /logits \[2, 3\] was disposed of/,
          'no rows': /no rows/,
          'no classes': /no class axis/,
          'unknown option': /unknown option 'axis'/,
          'bad option': /labelSmoothing is 2/,
          'bad reduction': /reduction is 'none'.*'mean' or 'sum'/,
          'bad weight': /weight has 4 elements, the logits have 3 classes/,
          'no namespace': /namespace of TensorFlow\.js/,
          'second derivative': /no second derivative/,
          'label out of range': ['TargetOutOfRangeError', /target of row 1 is 3, outside \[0, 3\)/],
          'its loss': ['NaN', /^$/],
          'the next one': ['nothing', /./],
          'cpu backend': /tfjs runs on 'cpu'.*setBackend\('webgpu'\)/,
          'backend changed': /tfjs now runs on 'cpu'/,
          disposed: /disposed of; make a new one/,
          'disposed, read': /disposed of; make a new one/,
        });
      });

      test('what the device refuses is told by read() and by the next call', async () => {
        const { call } = await open('tfjs');
        const { read, next } = await call<{ read: ThrownError; next: ThrownError }>('refused');
        expect(read.name).toBe('ValidationError');
        expect(read.message).toMatch(/destroyed/);
        expect(next).toEqual(read);
      });
    });

    describe('jax-js', () => {
      test('values and gradients are those of the oracle', async () => {
        const { call } = await open('jax');
        expectLosses('jax-js', await call<LossResult[]>('values'));
      });

      test('a model is trained, with a smaller last batch, and nothing is left behind', async () => {
        const { call } = await open('jax');
        expectTraining(await call<Training>('train'));
      });

      test('mistakes get errors that say what to do', async () => {
        const { call } = await open('jax');
        expectErrors(await call('errors'), {
          'nothing computed': /call the loss first/,
          'float labels': /labels are float32; int32 is needed: labels\.astype/,
          'labels of another length': /labels have shape \[3\] where \[2\] is needed/,
          'integer logits': /logits are int32; float32/,
          'no array': /logits must be a jax\.Array/,
          'on the CPU': /logits are on 'cpu'.*devicePut/,
          'no rows': /no rows/,
          'unknown option': /unknown option 'axis'/,
          'bad option': /temperature is -1/,
          'bad weight': /weight has 4 elements, the logits have 3 classes/,
          'no namespace': /namespace of jax-js/,
          'a tracer': /not a tracer: call the loss outside/,
          'label out of range': ['TargetOutOfRangeError', /target of row 1 is 3, outside \[0, 3\)/],
          'its loss': ['NaN', /^$/],
          'the next one': ['nothing', /./],
          disposed: /disposed of; make a new one/,
        });
      });

      test('a version that does not show what is written into its buffers is refused', async () => {
        const { call } = await open('jax');
        const { name, message } = await call<ThrownError>('immutable');
        expect(name).toBe('InvalidArgumentError');
        expect(message).toMatch(/does not show what is written.*0\.1\.25/);
      });
    });

    describe('ONNX Runtime', () => {
      test('the next tokens of a language model are scored as by the oracle', async () => {
        const { call } = await open('onnxruntime');
        expectScores(await call<LanguageResult>('language'));
      });

      test('float16 logits, and logits on the CPU', async () => {
        const { call } = await open('onnxruntime');
        const dims = [3, 5, 7];
        const values = hardLogits(15, 7, { seed: 3 }).map((value) => (Number.isFinite(value) ? value : -50));
        const targets = Array.from({ length: 15 }, (_, row) => (row === 4 ? -100 : row % 7));
        const bits = encodeHalf('f16', values);
        for (const type of ['float16', 'float32'] as const) {
          const data = Array.from<number>(type === 'float16' ? bits : values);
          const exact = type === 'float16' ? Array.from(decodeHalf('f16', bits)) : data;
          const expected = expectedScore(exact, targets, dims, -100);
          for (const location of ['gpu-buffer', 'cpu'] as const) {
            const score = await call<Record<string, number>>('scored', type, location, data, dims, targets);
            expect(score['tokens']).toBe(14);
            const ledger = new Ledger('onnxruntime');
            for (const [name, { value, bound }] of Object.entries(expected))
              ledger.check(name, score[name] as number, value, bound, `${type} in ${location}`);
          }
        }
      });

      test('100 batches leave nothing behind', async () => {
        const { call } = await open('onnxruntime');
        const { early, late, tokens } = await call<{ early: object; late: object; tokens: number }>('leak');
        expect(late).toEqual(early);
        expect(tokens).toBe(100 * 2 * 6);
      });

      test('mistakes get errors that say what to do', async () => {
        const { call } = await open('onnxruntime');
        expectErrors(await call('errors'), {
          'logits on the CPU': /logits are in 'cpu'; .*preferredOutputLocation: 'gpu-buffer'.*'upload'/,
          'integer logits': /logits are int32; float32 or float16/,
          'no rows': /at least one row/,
          'one dimension': /\[\.\.\., classes\]/,
          'no tensor': /must be an ort\.Tensor/,
          'too few targets': /targets have 13 elements where shape \[2, 7\] needs 14/,
          'targets of another shape': /targets have shape \[7, 2\] where \[2, 7\]/,
          'float targets': /targets are float32; int32 or int64/,
          'broken targets': /target of row 0 is 0\.5; use whole numbers/,
          'targets that are none': /targets must be an Int32Array/,
          'target out of range': ['TargetOutOfRangeError', /target of row 3 is 99, outside \[0, 37\)/],
          'too long a list': /topK is 99/,
          'unknown option': /unknown option 'shift'/,
          'bad topK': /topK is 0/,
          'bad nextToken': /nextToken is '1'/,
          'bad ignoreIndex': /ignoreIndex is 0\.5/,
          'bad cpuLogits': /cpuLogits is 'copy'/,
          'no namespace': /namespace of ONNX Runtime Web/,
          'no device': /no WebGPU device; create a session/,
          'no WebGPU': /no WebGPU device; create a session/,
          'tokens after errors': ['0', /^$/],
          'tokens after a batch': ['14', /^$/],
          'tokens after reset': ['0', /^$/],
          'tokens with an ignoreIndex far out': ['12', /^$/],
          'disposed logits': /./,
          'session on the CPU': /logits are in 'cpu/,
        });
      });
    });
  });

  describeInChromium('the guide', (chromium) => {
    const examples = examplesOf(readMarkdown('docs/frameworks.md'), 'framework');
    let guide: Site | undefined;

    beforeAll(async () => {
      const maker = await chromium.browser.newPage();
      await maker.goto(`${site.url}onnxruntime.html`);
      await maker.waitForFunction('window.onnxruntimePage !== undefined');
      const model = (await maker.evaluate('window.onnxruntimePage.bigramModel()')) as number[];
      await maker.close();
      writeFileSync(join(project.folder, 'public/bigram.onnx'), Uint8Array.from(model));
      const names = examples.map(({ code, line }) => {
        writeFileSync(join(project.folder, `line${line}.js`), code);
        const html = `<!doctype html><link rel="icon" href="data:,"><body></body><script type="module" src="./line${line}.js"></script>`;
        writeFileSync(join(project.folder, `line${line}.html`), html);
        return `line${line}.html`;
      });
      guide = await servePages(project.folder, names, join(project.folder, 'guide'));
    }, 120_000);

    afterAll(() => guide?.close());

    test('has an example of each framework', () => {
      const imported = examples.map(({ code }) => /'webgpu-loss\/(\w+)'/.exec(code)?.[1]);
      expect(imported).toEqual(['tfjs', 'onnxruntime', 'jax']);
    });

    for (const { line, output } of examples) {
      test(`the example of line ${line}`, async () => {
        const page = await chromium.newPage();
        await page.goto(`${guide?.url}line${line}.html`);
        await page.waitForFunction('document.body.textContent.trim() !== ""', { timeout: 120_000 });
        expect(await page.evaluate(() => document.body.textContent?.trim())).toBe(output);
      });
    }
  });
});

interface Caller {
  readonly page: Page;
  call<T>(method: string, ...given: readonly unknown[]): Promise<T>;
}

/** What the pages made of `LOSS_CASES`: the gradient is with respect to half of the logits, of the loss times the factor. */
function expectLosses(target: string, results: readonly LossResult[]): void {
  expect(results).toHaveLength(LOSS_CASES.length);
  const ledger = new Ledger(target);
  for (const [k, { name, shape, logits, labels, options, factor }] of LOSS_CASES.entries()) {
    const { loss: bits, grad, ...result } = results[k] as LossResult;
    const read = floatsOf(result.read)[0] as number;
    const rows = new CaseRows(layoutOf('test', shape), logits, options);
    const all = { ...options, gradOutput: factor };
    const exact = crossEntropy(logits, labels, shape, { ...all, grad: true });
    const bounds = crossEntropyBounds(rows, labels, all);
    ledger.check('loss', read, exact.loss[0] as number, bounds.loss(0), name);
    expect(floatsOf(bits)[0]).toBe(Math.fround(read * factor));
    ledger.checkAll(
      'gradient',
      floatsOf(grad),
      (exact.grad as Float64Array).map((value) => 2 * value),
      (i) => 2 * bounds.grad(i),
      name,
    );
  }
}

function expectTraining({ losses, early, late }: Training): void {
  expect(losses).toHaveLength(100);
  expect(losses.every(Number.isFinite)).toBe(true);
  // Five clouds that do not touch: from about ln 5 to about what the smoothing leaves.
  expect(losses[0]).toBeGreaterThan(1.2);
  expect(Math.max(...losses.slice(-3))).toBeLessThan(0.2);
  expect(early.ownBuffers).toBeGreaterThan(0);
  expect(late).toEqual(early);
}

/** A message alone is that of an `InvalidArgumentError`. */
function expectErrors(
  found: Readonly<Record<string, ThrownError>>,
  expected: Readonly<Record<string, RegExp | readonly [string, RegExp]>>,
): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, wanted] of Object.entries(expected)) {
    const [kind, words] = wanted instanceof RegExp ? (['InvalidArgumentError', wanted] as const) : wanted;
    const error = found[name] as ThrownError;
    expect(`${name}: ${error.name}`).toBe(`${name}: ${kind}`);
    expect(error.message, name).toMatch(words);
  }
}

interface LanguageResult {
  readonly batches: readonly {
    readonly logits: readonly number[];
    readonly targets: readonly number[];
    readonly score: Readonly<Record<string, number>>;
    readonly positions: Readonly<Record<string, readonly number[]>>;
    readonly top: { readonly logits: readonly number[]; readonly classes: readonly number[] };
  }[];
  readonly total: Readonly<Record<string, number>>;
  readonly shape: readonly [number, number, number];
}

const PADDING = 0;

function expectScores({ batches, total, shape }: LanguageResult): void {
  expect(batches).toHaveLength(2);
  const [, tokens, classes] = shape;
  const rowCount = shape[0] * tokens;
  let counted = 0;
  let nats = 0;
  let natsBound = 0;
  for (const { logits, targets, score, positions, top } of batches) {
    // What the option `nextToken` does, said in another way.
    const next = Array.from({ length: rowCount }, (_, row) =>
      (row + 1) % tokens === 0 ? PADDING : (targets[row + 1] as number),
    );
    const ledger = new Ledger('onnxruntime');
    const expected = expectedScore(logits, next, shape, PADDING, 3);
    for (const [name, { value, bound }] of Object.entries(expected))
      ledger.check(name, score[name] as number, value, bound, name);
    const kept = next.map((target) => target !== PADDING);
    const exact = logitStats(logits, Int32Array.from(next), [rowCount, classes], { topK: 3 });
    const rows = new CaseRows(layoutOf('test', [rowCount, classes]), logits);
    for (let row = 0; row < rowCount; row++) {
      const facts = rows.row(row);
      ledger.check(
        'entropy',
        positions['entropy']?.[row] as number,
        exact.entropy[row] as number,
        entropyFacts(facts).error,
        `row ${row}`,
      );
      expect(positions['argmax']?.[row]).toBe(exact.argmax[row]);
      expect(positions['targetRank']?.[row]).toBe(kept[row] ? exact.targetRank?.[row] : -1);
      const logProb = positions['targetLogProb']?.[row];
      // JSON has null for NaN.
      if (!kept[row]) expect(logProb ?? Number.NaN).toBeNaN();
      else {
        const target = next[row] as number;
        const bound = logProbabilityBound(facts, target);
        ledger.check('log p', logProb as number, exact.targetLogProb?.[row] as number, bound, `row ${row}`);
      }
    }
    expect(top.classes).toEqual(Array.from(exact.topK?.indices as Int32Array));
    expect(top.logits).toEqual(Array.from(exact.topK?.values as Float64Array));
    const count = kept.filter(Boolean).length;
    expect(score['tokens']).toBe(count);
    counted += count;
    nats += (expected['loss']?.value as number) * count;
    natsBound += (expected['loss']?.bound as number) * count;
  }
  expect(total['tokens']).toBe(counted);
  new Ledger('onnxruntime').check(
    'loss',
    total['loss'] as number,
    nats / counted,
    natsBound / counted,
    'total',
  );
  expect(total['perplexity']).toBe(Math.exp(total['loss'] as number));
}

/** The oracle's score, and how far a sum in float64 of results in float32 may be from it. */
function expectedScore(
  logits: readonly number[],
  targets: readonly number[],
  shape: readonly number[],
  ignoreIndex: number,
  topK = 0,
): Record<string, { readonly value: number; readonly bound: number }> {
  const classes = shape.at(-1) as number;
  const flat = [targets.length, classes];
  const safe = Int32Array.from(targets, (target) => (target === ignoreIndex ? 0 : target));
  const exact = logitStats(logits, safe, flat);
  const rows = new CaseRows(layoutOf('test', flat), logits);
  const sums = { loss: 0, lossBound: 0, entropy: 0, entropyBound: 0, hits: 0, topHits: 0, tokens: 0 };
  for (const [row, target] of targets.entries()) {
    if (target === ignoreIndex) continue;
    const facts = rows.row(row);
    sums.tokens += 1;
    sums.loss -= exact.targetLogProb?.[row] as number;
    sums.lossBound += logProbabilityBound(facts, target);
    sums.entropy += exact.entropy[row] as number;
    sums.entropyBound += entropyFacts(facts).error;
    const rank = exact.targetRank?.[row] as number;
    if (rank === 0) sums.hits += 1;
    if (rank < topK) sums.topHits += 1;
  }
  const { tokens } = sums;
  const loss = { value: sums.loss / tokens, bound: sums.lossBound / tokens };
  const { value, bound } = loss;
  return {
    loss,
    perplexity: { value: Math.exp(value), bound: Math.exp(value) * Math.expm1(bound + U) },
    entropy: { value: sums.entropy / tokens, bound: sums.entropyBound / tokens },
    accuracy: { value: sums.hits / tokens, bound: 0 },
    ...(topK > 0 && { topKAccuracy: { value: sums.topHits / tokens, bound: 0 } }),
  };
}
