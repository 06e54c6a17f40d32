// What command lines have in common.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An argument that cannot be used; the message says what would do. */
export class OptionError extends Error {
  override name = 'OptionError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/**
 * The values of options, and what is no option.
 *
 * @param most how many arguments that are no options there may be; default none
 * @throws OptionError on an unknown option, one without its value, or an argument too many
 */
export function readArguments<O extends Options>(
  args: readonly string[],
  options: O,
  most = 0,
): { readonly values: Values<O>; readonly positionals: readonly string[] } {
  let parsed: { readonly values: Values<O>; readonly positionals: readonly string[] };
  try {
    parsed = parseArgs({ args: withNegatives(args, options), options, allowPositionals: most > 0 });
  } catch (error) {
    // Node's messages are good; their second line advises on passing positional arguments.
    const [first = ''] = String((error as Error).message).split(/\. |\n/);
    throw new OptionError(first.replace(/\.$/, ''), { cause: error });
  }
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw new OptionError(`one argument too many: "${extra}"`);
  return parsed;
}

/** `--name -100` as `--name=-100`: Node takes what begins with a dash for an option. */
function withNegatives(args: readonly string[], options: Options): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? '';
    const takesValue = before.startsWith('--') && options[before.slice(2)]?.type === 'string';
    if (takesValue && /^-\d/.test(arg)) joined[joined.length - 1] = `${before}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined)
    throw new OptionError(`${name} must be one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

export function whole(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new OptionError(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

/**
 * Runs a command; what it throws becomes a message and an exit code, 2 for arguments that cannot be used.
 *
 * @param help the command that lists the options
 */
export async function runProgram(help: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof OptionError) {
      console.error(`error: ${error.message}\n${help} lists the options.`);
      process.exitCode = 2;
    } else {
      console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}
