// The adapters on the real frameworks, in Chromium: values and gradients against the oracle, training, leaks, errors.
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeHalf, encodeHalf } from '../../../src/half.js';
import { hardLogits } from '../../conformance/data.js';
import { examplesOf, readMarkdown, root } from '../../docs/markdown.js';
import { describeInChromium } from '../../support/chromium.js';
import { Ledger } from '../../support/ledger.js';
import type { Site } from '../../support/site.js';
import { describeWithFrameworks, here, newProject, servePages } from './build.js';
import type { LossResult, ThrownError, Training } from './cases.js';
import {
  expectErrors,
  expectedScore,
  expectLosses,
  expectScores,
  expectTraining,
  type LanguageResult,
} from './expected.js';

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
          'another version': /has no uploadToGPU, makeTensorInfo.*use version 4\.22/,
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
          'before init': /no WebGPU device; await jax\.init\('webgpu'\) first/,
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
