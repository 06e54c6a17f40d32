// What the command lines of this project have in common.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An argument that cannot be used; the message says what would do. */
export class OptionError extends Error {
  override name = 'OptionError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/**
 * The values of options; positional arguments there are none.
 *
 * @throws OptionError on an unknown option, or one without its value
 */
export function readArguments<O extends Options>(args: readonly string[], options: O): Values<O> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Node's messages are good; their second line advises on passing positional arguments.
    const [first = ''] = String((error as Error).message).split(/\. |\n/);
    throw new OptionError(first.replace(/\.$/, ''), { cause: error });
  }
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined)
    throw new OptionError(`${name} must be one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

/** The parts of a list such as `a,b`; an empty part is an error. */
export function listOf(name: string, text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new OptionError(`${name} must be a list such as a,b, not "${text}"`);
  return [...new Set(parts)];
}

export function whole(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new OptionError(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

/** Runs a command; what it throws becomes a message and an exit code, 2 for arguments that cannot be used. */
export async function runCommand(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof OptionError) {
      console.error(`error: ${error.message}\nnpm ${name} -- --help lists the options.`);
      process.exitCode = 2;
    } else {
      console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}
