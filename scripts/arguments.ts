// What the command lines of this project have in common; those of the package itself have it from src/cli.
import type { ParseArgsConfig } from 'node:util';
import * as common from '../src/cli/arguments.js';

export { OptionError, oneOf, whole } from '../src/cli/arguments.js';

/** The values of options; positional arguments there are none. Throws OptionError as `readArguments` of src/cli does. */
export function readArguments<O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
): ReturnType<typeof common.readArguments<O>>['values'] {
  return common.readArguments(args, options).values;
}

/** The parts of a list such as `a,b`; an empty part is an error. */
export function listOf(name: string, text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new common.OptionError(`${name} must be a list such as a,b, not "${text}"`);
  return [...new Set(parts)];
}

/** Runs a command of package.json; what it throws becomes a message and an exit code, 2 for arguments that cannot be used. */
export function runCommand(name: string, run: () => Promise<void>): Promise<void> {
  return common.runProgram(`npm ${name} -- --help`, run);
}
