import { InvalidArgumentError } from './errors.js';

/** Refuses options that do not exist: a misspelt one would be ignored in silence. */
export function checkOptions(op: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(`${op}: options must be an object, got ${String(options)}.`, { op });
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InvalidArgumentError(`${op}: unknown option '${name}'; there are ${known.join(', ')}.`, {
        op,
      });
    }
  }
}
