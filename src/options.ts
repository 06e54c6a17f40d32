import { invalid } from './errors.js';

/** Throws `InvalidArgumentError` unless the option `name` is true or false. */
export function checkFlag(op: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  invalid(op, `${name} is '${String(value)}'; use true or false.`);
}

/** Refuses options that do not exist: a misspelt one would be ignored in silence. */
export function checkOptions(op: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    invalid(op, `options must be an object, got ${String(options)}.`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      invalid(op, `unknown option '${name}'; there are ${known.join(', ')}.`);
    }
  }
}
