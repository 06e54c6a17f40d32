import { InvalidArgumentError } from './errors.js';

/** Throws `InvalidArgumentError` unless the option `name` is true or false. */
export function checkFlag(op: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new InvalidArgumentError(`${op}: ${name} is '${String(value)}'; use true or false.`, { op });
}

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
