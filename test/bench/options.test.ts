import { describe, expect, it } from 'vitest';
import { LARGE_LINEAR_SHAPES, LINEAR_SHAPES, nameOf, SHAPES } from '../../bench/measure/cases.js';
import { OPS, ROW_OPS } from '../../bench/measure/tensors.js';
import { HELP, parseOptions, policyFrom } from '../../bench/options.js';
import { parseOptions as parseTuneOptions, HELP as TUNE_HELP } from '../../bench/tune/options.js';
import { OptionError } from '../../scripts/arguments.js';

const casesOf = (line: string) => parseOptions(line.split(' ')).cases.hardware.map(nameOf);

describe('options of npm run bench', () => {
  it('are every op on every shape by default, and a sweep', () => {
    const { hardware: cases, software } = parseOptions([]).cases;
    expect(software).toHaveLength(cases.length);
    const named = cases.filter(({ rows, classes }) => SHAPES.some((s) => s[0] === rows && s[1] === classes));
    expect(new Set(named.map(nameOf)).size).toBe(ROW_OPS.length * SHAPES.length);
    const layers = cases.filter(({ features }) => features !== undefined).map(nameOf);
    expect(new Set(layers).size).toBe(2 * LINEAR_SHAPES.length);
    expect(layers).toContain('linearCrossEntropyGrad 128x128x50257 f32');
    for (const [list, elements] of [
      [cases, 2 ** 22],
      [software, 2 ** 18],
    ] as const) {
      const swept = list.filter(({ op, rows, classes }) => op === 'softmax' && rows * classes === elements);
      expect(swept.map(({ classes }) => classes)).toEqual(
        expect.arrayContaining(Array.from({ length: 16 }, (_, k) => 8 * 2 ** k)),
      );
    }
  });

  it('take lists', () => {
    expect(casesOf('--op softmax,entropy --shape 2x3,4x5 --dtype f16')).toEqual([
      'softmax 2x3 f16',
      'entropy 2x3 f16',
      'softmax 4x5 f16',
      'entropy 4x5 f16',
    ]);
    expect(parseOptions(['--adapter', 'lavapipe,cpu']).adapters).toEqual(['lavapipe', 'cpu']);
  });

  it('take shapes with features for linear layers, and those without for the others', () => {
    expect(casesOf('--op entropy,linearCrossEntropy --shape 2x3,4x5x6 --dtype f16,f32')).toEqual([
      'entropy 2x3 f16',
      'entropy 2x3 f32',
      'linearCrossEntropy 4x5x6 f16',
      'linearCrossEntropy 4x5x6 f32',
    ]);
    const large = casesOf('--shape large');
    expect(large).toHaveLength(2 * LARGE_LINEAR_SHAPES.length);
    expect(large).toContain('linearCrossEntropy 2048x256x200019 f32');
    const named = casesOf('--op linearCrossEntropyGrad');
    expect(named).toEqual(LINEAR_SHAPES.map((shape) => `linearCrossEntropyGrad ${shape.join('x')} f32`));
    expect(casesOf('--quick --op linearCrossEntropy')).toHaveLength(1);
    // Larger than what may be there of logits: here they never are.
    expect(casesOf('--shape 8192x16x200019')).toHaveLength(2);
  });

  it('take policies', () => {
    const { policies } = parseOptions([
      '--policy',
      'workgroupSize=64,vec4=false',
      '--policy',
      'strategy=split-row',
    ]);
    expect(policies).toEqual([{ workgroupSize: 64, vec4: false }, { strategy: 'split-row' }]);
    expect(policyFrom('segment=8192')).toEqual({ segment: 8192 });
  });

  it('with --quick are fewer', () => {
    const numberOf = (...args: string[]) => parseOptions(args).cases.hardware.length;
    expect(numberOf('--quick')).toBeLessThan(numberOf() / 3);
    expect(casesOf('--quick --op softmax --shape 2x3')).toEqual(['softmax 2x3 f32']);
  });

  it.each([
    'adapter',
    'op',
    'shape',
    'dtype',
    'policy',
    'against',
    'seed',
    'quick',
    'out',
    'plots',
    'json',
    'render',
  ])('--%s is in the help', (name) => expect(HELP).toContain(`--${name}`));

  it('the help names every op', () => {
    for (const op of OPS) expect(HELP).toContain(op);
  });

  // Each with what the message must name.
  it.each([
    ['--op softmin', '--op must be one of softmax,'],
    ['--op softmax,', '--op must be a list such as a,b, not "softmax,"'],
    ['--shape 10', 'ROWSxCLASSES'],
    ['--shape 0x10', '"0x10"'],
    ['--shape 65536x65536', '1073741824 elements'],
    ['--shape 2x3x4x5', 'ROWSxFEATURESxCLASSES'],
    ['--shape 2x0x4', '"2x0x4"'],
    ['--shape 2x65536x65536', '1073741824 elements in a matrix'],
    ['--shape 65536x65536x2', '1073741824 elements in a matrix'],
    ['--op matMul', '--op must be one of'],
    [
      '--op linearCrossEntropy --shape 64x1000',
      '--shape 64x1000 is none for linearCrossEntropy; linearCrossEntropy needs ROWSxFEATURESxCLASSES',
    ],
    ['--op linearCrossEntropy --shape sweep', '--shape sweep is none for linearCrossEntropy'],
    ['--op softmax --shape large', '--shape large is none for softmax; softmax needs ROWSxCLASSES'],
    [
      '--op softmax,linearCrossEntropyGrad --shape 64x1000',
      '--shape 64x1000 has none for linearCrossEntropyGrad; linearCrossEntropyGrad needs ROWSxFEATURESxCLASSES',
    ],
    ['--dtype f64', '--dtype must be one of f32, f16, bf16, not "f64"'],
    ['--policy workgroupSize', 'strategy=split-row,workgroupSize=64'],
    ['--seed -1', '--seed'],
    ['--seed 1.5', '"1.5"'],
    ['--against=', '--against must not be empty'],
    ['--out=', '--out must not be empty'],
    ['--fast', '--fast'],
    ['softmax', 'softmax'],
  ])('refuse %s', (line, message) => {
    const parse = () => parseOptions(line.split(' '));
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(message);
  });
});

describe('options of npm run tune', () => {
  it('have defaults', () => {
    expect(parseTuneOptions([])).toMatchObject({
      adapter: 'auto',
      dtype: 'f32',
      shapes: SHAPES,
      json: false,
    });
  });

  it.each(['adapter', 'dtype', 'shape', 'op', 'seed', 'out', 'json'])('--%s is in the help', (name) =>
    expect(TUNE_HELP).toContain(`--${name}`),
  );

  it.each([
    ['--adapter cpu', 'no policy to tune'],
    ['--adapter=', '--adapter must not be empty'],
    ['--shape sweep', 'ROWSxCLASSES'],
    ['--shape 2x3x4', 'ROWSxCLASSES with at most 1073741824 elements, not "2x3x4"'],
    ['--op linearCrossEntropy', '--op must be one of'],
    ['--dtype f16,bf16', '"f16,bf16"'],
    ['--op softmin', '--op must be one of'],
  ])('refuse %s', (line, message) => {
    const parse = () => parseTuneOptions(line.split(' '));
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(message);
  });
});
