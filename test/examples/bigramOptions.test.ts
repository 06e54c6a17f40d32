import { describe, expect, it } from 'vitest';
import { DEFAULTS, HELP, parseOptions } from '../../examples/bigram/options.js';
import { OptionError } from '../../scripts/arguments.js';

describe('options of npm start', () => {
  it('has defaults', () => {
    expect(parseOptions([])).toEqual(DEFAULTS);
  });

  it('takes every option', () => {
    const args = '--backend webgpu --adapter swiftshader --steps 7 --vocab=100 --seed 0 --json'.split(' ');
    expect(parseOptions(args)).toEqual({
      backend: 'webgpu',
      adapter: 'swiftshader',
      steps: 7,
      vocab: 100,
      seed: 0,
      json: true,
      help: false,
    });
  });

  it.each(['-h', '--help'])('%s asks for help', (flag) => {
    expect(parseOptions([flag]).help).toBe(true);
  });

  it('explains every option in the help', () => {
    for (const name of Object.keys(DEFAULTS)) expect(HELP).toContain(`--${name}`);
  });

  // Each with what the message must name.
  it.each([
    ['--steps 0', '--steps must be a whole number from 1 to 10000, not "0"'],
    ['--steps 1e3', '"1e3"'],
    ['--steps=-5', '"-5"'],
    ['--steps 10001', '"10001"'],
    ['--vocab 2.5', '--vocab'],
    ['--vocab 8193', '8192'],
    ['--vocab=', '--vocab'],
    ['--seed x', '--seed'],
    ['--seed 4294967296', '4294967295'],
    ['--backend gpu', '--backend must be one of auto, webgpu, cpu, not "gpu"'],
    ['--adapter=', '--adapter'],
    ['--backend cpu --adapter swiftshader', 'leave one of them out'],
    ['--epochs 3', '--epochs'],
    ['--steps', '--steps'],
    ['--json=yes', '--json'],
    ['moby', 'moby'],
  ])('refuses %s', (line, message) => {
    const args = line.split(' ');
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
