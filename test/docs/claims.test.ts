// What README, CONTRIBUTING and CHANGELOG say about the code, compared with the code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as built from 'webgpu-loss';
import { MEMORY_HEAD, memoryRows } from '../../bench/memory/rows.js';
import { summaries } from '../../bench/peers/summary.js';
import { parseRows } from '../../bench/report/row.js';
import { openGpu } from '../../scripts/adapters.js';
import * as cpu from '../../src/cpu.js';
import * as library from '../../src/index.js';
import { createContext } from '../../src/index.js';
import { choosePolicy } from '../../src/plan/policy.js';
import { targetNames } from '../targets/names.js';
import { optionsOf } from './calls.js';
import { anchorOf, type Markdown, quoted, readMarkdown, root, tablesOf } from './markdown.js';
import { format, numbers } from './rows.js';

const files = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/theory.md',
  'docs/losses.md',
  'docs/install.md',
  'docs/train-a-classifier.md',
  'docs/api/README.md',
  'examples/README.md',
];
const documents = new Map<string, Markdown>(files.map((file) => [file, readMarkdown(file)]));
const readme = documents.get('README.md') as Markdown;
const contributing = documents.get('CONTRIBUTING.md') as Markdown;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const ctx = await createContext({ backend: 'cpu' });
const square = [
  [0.5, -1, 2],
  [3, 0.25, -0.5],
  [1, 1, -2],
];
const logits = () => ctx.tensor(Float32Array.from(square.flat()), [3, 3]);

describe('tables of operations', () => {
  const rows = tablesOf(readme, 'operations').flatMap((table) => table.rows);
  const names = rows.map(([call = '']) => /^`(\w+)\(/.exec(call)?.[1] as string);

  test('name every function that is exported', () => {
    const exported = Object.entries(library)
      .filter(([, value]) => typeof value === 'function' && !(value.prototype instanceof Error))
      .map(([name]) => name)
      .filter((name) => name !== 'createContext');
    expect([...names].sort()).toEqual(exported.sort());
  });

  test('have crossEntropy, whose options have a table of their own', () => {
    expect(names).toContain('crossEntropy');
  });

  for (const [i, [, options = '']] of rows.entries()) {
    const name = names[i] as string;
    if (name === 'crossEntropy') continue;
    test(`${name} has the options listed, and no others`, async () => {
      const common = name.startsWith('plan') ? [] : ['policy', 'signal'];
      expect([...quoted(options), ...common].sort()).toEqual((await optionsOf(name)).sort());
    });
  }
});

describe('tables of options', () => {
  for (const name of ['createContext', 'crossEntropy']) {
    test(`${name} has the options listed, and no others`, async () => {
      const listed = tablesOf(readme, `options ${name}`).flatMap(({ rows }) =>
        rows.flatMap(([option = '']) => quoted(option)),
      );
      const common = name === 'crossEntropy' ? ['policy', 'signal'] : [];
      expect([...listed, ...common].sort()).toEqual((await optionsOf(name)).sort());
    });
  }

  const rows = tablesOf(readme, 'options crossEntropy').flatMap((table) => table.rows);
  for (const [option = '', value = '', meaning = ''] of rows) {
    const name = quoted(option)[0] as string;
    test(`crossEntropy without ${name} is crossEntropy with ${value}`, async () => {
      const [text] = quoted(value);
      expect(meaning).not.toBe('');
      const given = text === undefined ? {} : { [name]: JSON.parse(text.replaceAll("'", '"')) };
      if (text === undefined) expect(value).toBe('none');
      for (const targets of [
        Int32Array.of(2, -100, 0),
        Float32Array.from([0.5, 0.5, 0, 1, 0, 0, 0, 0.25, 0.75]),
      ]) {
        const isProbs = targets instanceof Float32Array;
        const operand = isProbs ? ctx.tensor(targets, [3, 3]) : targets;
        const base = name === 'grad' ? {} : { grad: true };
        // Written out, its default must be allowed too.
        const implicit = await library.crossEntropy(logits(), operand, base);
        const explicit = await library.crossEntropy(logits(), operand, { ...base, ...given });
        expect(Object.keys(explicit)).toEqual(Object.keys(implicit));
        for (const [key, tensor] of Object.entries(implicit)) {
          const other = explicit[key as keyof typeof explicit];
          expect(other?.shape).toEqual(tensor.shape);
          expect(await other?.read()).toEqual(await tensor.read());
        }
      }
    });
  }
});

test('the table of errors names every class of error', () => {
  const listed = tablesOf(readme, 'errors').flatMap(({ rows }) =>
    rows.flatMap(([name = '']) => quoted(name)),
  );
  const exported = Object.entries(library)
    .filter(
      ([name, value]) =>
        name !== 'LossError' && typeof value === 'function' && value.prototype instanceof Error,
    )
    .map(([name]) => name);
  expect(listed.sort()).toEqual(exported.sort());
});

test('the table of the policy names every field', async () => {
  const table = readme.tables.find(
    ({ header, rows }) => header[0] === 'field' && quoted(rows[0]?.[0] ?? '')[0] === 'strategy',
  );
  const listed = table?.rows.flatMap(([field = '']) => quoted(field));
  const refusal = await createContext({ backend: 'cpu', policy: { no: 1 } as object }).catch(
    (error) => error,
  );
  expect(listed?.join(', ')).toBe(/there are (.*)\.$/.exec(refusal.message)?.[1]);
  const { workgroupSize, segment } = choosePolicy({ classes: 1, inner: 1 }, ctx.info);
  const defaults = new Map(
    table?.rows.map(([field = '', , value = '']) => [quoted(field)[0], quoted(value)[0]]),
  );
  expect([defaults.get('workgroupSize'), defaults.get('segment')]).toEqual([
    String(workgroupSize),
    String(segment),
  ]);
});

test('the strategies are chosen as the table says', () => {
  for (const [strategy = '', ...columns] of tablesOf(readme, 'strategies').flatMap(({ rows }) => rows)) {
    expect(columns).toHaveLength(2);
    for (const [i, classes] of columns.entries()) {
      const ends = [...classes.matchAll(/\d+/g)].map(Number);
      if (classes.includes('and more')) ends.push(1_000_000);
      expect(ends).toHaveLength(2);
      for (const end of ends) {
        const facts = { ...ctx.info, isFallbackAdapter: i === 1 };
        expect(choosePolicy({ classes: end, inner: 1 }, facts).strategy, String(end)).toBe(
          quoted(strategy)[0],
        );
      }
    }
  }
});

describe('special rows', async () => {
  const rows = tablesOf(readme, 'rows').flatMap((table) => table.rows);
  const opened = await openGpu();
  const contexts: [string, library.Context][] = [['cpu', ctx]];
  if (opened.gpu) {
    contexts.push([opened.kind, await createContext({ backend: 'webgpu', gpu: opened.gpu })]);
  }

  for (const [where, context] of contexts) {
    for (const [x = '', target = '', ...results] of rows) {
      // On a software adapter, the first row of each kind compiles its kernels.
      test(`${x} with target ${target}, on ${where}`, { timeout: 300_000 }, async () => {
        const tensor = context.tensor(numbers(x), [1, 3]);
        const targets = target.startsWith('[')
          ? context.tensor(numbers(target.slice(1, -1)), [1, 3])
          : Int32Array.from(numbers(target));
        const { loss, grad } = await library.crossEntropy(tensor, targets, { reduction: 'none', grad: true });
        const shown = [
          await library.logSumExp(tensor),
          await library.softmax(tensor),
          loss,
          grad as library.Tensor,
        ];
        expect(await Promise.all(shown.map(format))).toEqual(results.slice(0, 4));
      });
    }
  }
});

test('a mean over no kept row is NaN, a sum 0', async () => {
  const none = new Int32Array(3).fill(-100);
  expect(await (await library.crossEntropy(logits(), none)).loss.read()).toEqual(Float32Array.of(Number.NaN));
  const sum = await library.crossEntropy(logits(), none, { reduction: 'sum' });
  expect(await sum.loss.read()).toEqual(Float32Array.of(0));
});

test('the tables of targets name every target', () => {
  for (const document of [readme, contributing]) {
    const listed = tablesOf(document, 'targets').flatMap(({ rows }) =>
      rows.flatMap(([name = '']) => quoted(name)),
    );
    expect(listed.sort()).toEqual([...targetNames].sort());
  }
});

describe('the package', () => {
  test('has no dependencies, is ESM, has no side effects, and asks for Node 20', () => {
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false, engines: { node: '>=20' } });
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest.peerDependenciesMeta.webgpu.optional).toBe(true);
  });

  test('has the entry points that the README names', () => {
    const entries = Object.keys(manifest.exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => entry.replace('.', 'webgpu-loss'));
    for (const entry of entries) expect(readme.text).toContain(`'${entry}'`);
    const imported = [...readme.text.matchAll(/from '(webgpu-loss[^']*)'/g)].map((match) => match[1]);
    for (const entry of imported) expect(entries).toContain(entry);
  });

  test('has the operations of webgpu-loss/cpu that the README names', () => {
    const section = readme.text.split('### On the CPU alone')[1]?.split('\n\n')[1] ?? '';
    for (const name of Object.keys(cpu)) expect(quoted(section)).toContain(name);
  });

  test('imports Node only in webgpu-loss/node and the command line', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.ts'));
    const importers = sources.filter((file) =>
      /(from|import)\s*\(?\s*'(node:[^']*|webgpu)'/.test(readFileSync(join(root, 'src', file), 'utf8')),
    );
    expect(importers).not.toHaveLength(0);
    for (const file of importers) expect(file).toMatch(/^(node|cli)(\.ts|\/)/);
    const toNode = sources.filter(
      (file) =>
        !/^(node\.ts|cli(\.ts|\/))/.test(file) &&
        /from '[^']*\/(node|cli)(\/[^']*)?\.js'/.test(readFileSync(join(root, 'src', file), 'utf8')),
    );
    expect(toNode).toEqual([]);
  });

  test('has the scripts that the documents name', () => {
    const named = [...documents.values()].flatMap(({ text }) =>
      [...text.matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, script, short]) => script ?? short),
    );
    expect(new Set(named)).toContain('check');
    for (const name of new Set(named)) expect(Object.keys(manifest.scripts)).toContain(name);
  });

  test('has its version in the changelog', () => {
    const { headings } = documents.get('CHANGELOG.md') as Markdown;
    expect(headings.some((heading) => heading.startsWith(`[${manifest.version}]`))).toBe(true);
  });
});

test('CONTRIBUTING describes every folder of the sources, and no other', () => {
  const listed = contributing.tables
    .filter(({ header }) => header[0] === 'folder')
    .flatMap(({ rows }) => rows.flatMap(([folder = '']) => quoted(folder)));
  for (const folder of listed) expect(existsSync(join(root, folder)), folder).toBe(true);
  for (const top of ['src', 'shaders']) {
    for (const { name } of readdirSync(join(root, top), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )) {
      expect(listed).toContain(`${top}/${name}`);
    }
  }
});

test('the table of memory says what plans hold', async () => {
  const [table] = tablesOf(readme, 'memory');
  expect(table?.header).toEqual(MEMORY_HEAD);
  expect(table?.rows).toEqual(await memoryRows(built));
});

test('the tables of peers say what was measured', () => {
  const rows = ['peers-chromium', 'peers-lavapipe'].flatMap((name) => {
    const file = join(root, 'bench', 'results', `${name}.jsonl`);
    return parseRows(readFileSync(file, 'utf8'), file);
  });
  for (const { name, head, rows: lines } of summaries(rows)) {
    const [table] = tablesOf(readme, name);
    expect(table?.header, name).toEqual(head);
    expect(table?.rows, name).toEqual(lines);
  }
});

test('the README says of hardware GPUs what the results of the benches hold', () => {
  const results = join(root, 'bench', 'results');
  const files = existsSync(results) ? readdirSync(results).filter((file) => file.endsWith('.jsonl')) : [];
  const rows = files.flatMap((file) => readFileSync(join(results, file), 'utf8').split('\n').filter(Boolean));
  const ofHardware = rows
    .map((row) => JSON.parse(row).adapter)
    .filter((adapter) => adapter?.backend === 'webgpu' && !adapter.isFallbackAdapter);
  expect(readme.text.includes('No hardware GPU has been measured')).toBe(ofHardware.length === 0);
});

describe('links', () => {
  for (const [file, { links }] of documents) {
    test(`of ${file} point to something`, () => {
      expect(links).not.toHaveLength(0);
      for (const link of links.filter((target) => !/^https:/.test(target))) {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file : normalize(join(dirname(file), path));
        expect(existsSync(join(root, target)), `${file}: ${link}`).toBe(true);
        if (anchor !== undefined) {
          const { headings } = documents.get(relative('.', target)) ?? readMarkdown(target);
          expect(headings.map(anchorOf), `${file}: ${link}`).toContain(anchor);
        }
      }
    });
  }
});

test('files that the documents name in backticks exist', () => {
  let count = 0;
  for (const [file, { text }] of documents) {
    for (const name of quoted(text.replaceAll(/^```[\s\S]*?^```/gm, ''))) {
      if (!/^(src|shaders|test|scripts|examples|docs)\/[\w./-]+$/.test(name)) continue;
      count++;
      expect(existsSync(join(root, name)), `${file}: ${name}`).toBe(true);
    }
  }
  expect(count).toBeGreaterThan(0);
});
