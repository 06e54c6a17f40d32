import { describe, expect, it } from 'vitest';
import { DEFAULTS, EXTENTS, extentFor, HELP, parseOptions } from '../../examples/language-model/options.js';
import { OptionError } from '../../scripts/arguments.js';

describe('options of npm run language-model', () => {
  it('has defaults, of which those of the size depend on what computes', () => {
    expect(parseOptions([])).toEqual(DEFAULTS);
    expect(extentFor('hardware', {})).toEqual(EXTENTS.gpu);
    expect(extentFor('software', {})).toEqual(EXTENTS.processor);
    expect(extentFor('cpu', parseOptions(['--steps', '3']))).toMatchObject({
      ...EXTENTS.processor,
      steps: 3,
    });
    expect(EXTENTS.gpu.vocabulary).toBe('all');
  });

  it('takes every option', () => {
    const args =
      '--backend webgpu --adapter lavapipe --vocabulary all --batch 64 --features=32 --steps 7 --places 9 --rate 1e-3 --seed 0 --json';
    expect(parseOptions(args.split(' '))).toEqual({
      backend: 'webgpu',
      adapter: 'lavapipe',
      vocabulary: 'all',
      batch: 64,
      features: 32,
      steps: 7,
      places: 9,
      rate: 0.001,
      seed: 0,
      json: true,
      help: false,
    });
    expect(parseOptions(['--vocabulary', '500']).vocabulary).toBe(500);
  });

  it.each(['-h', '--help'])('%s asks for help', (flag) => {
    expect(parseOptions([flag]).help).toBe(true);
  });

  it('explains every option in the help', () => {
    for (const name of [...Object.keys(DEFAULTS), ...Object.keys(EXTENTS.gpu)]) {
      expect(HELP).toContain(`--${name}`);
    }
  });

  // Each with what the message must name.
  it.each([
    ['--vocabulary every', '--vocabulary must be all or a whole number from 1 to 16384, not "every"'],
    ['--vocabulary 0', '"0"'],
    ['--vocabulary 16385', '"16385"'],
    ['--vocabulary=', '--vocabulary'],
    ['--batch 0', '--batch must be a whole number from 1 to 4096, not "0"'],
    ['--features 1025', '--features must be a whole number from 1 to 1024, not "1025"'],
    ['--steps 1.5', '--steps'],
    ['--places -1', '--places'],
    ['--rate 0', '--rate must be a number above 0 and at most 1, not "0"'],
    ['--rate fast', '"fast"'],
    ['--rate=', '--rate'],
    ['--rate 1.01', '"1.01"'],
    ['--seed x', '--seed'],
    ['--backend gpu', '--backend must be one of auto, webgpu, cpu, not "gpu"'],
    ['--backend cpu --adapter swiftshader', 'leave one of them out'],
    ['--vocab 3', '--vocab'],
    ['moby', 'moby'],
  ])('refuses %s', (line, message) => {
    const args = line.split(' ');
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
