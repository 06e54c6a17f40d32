import { parseArgs } from 'node:util';

/** What the command line of the host bench asks for. */
export interface HostOptions {
  /** hardware, swiftshader, lavapipe, or a part of an adapter's name. */
  readonly adapter: string;
  /** Milliseconds for each figure. */
  readonly time: number;
  /** Only cases whose name contains this. */
  readonly only: string;
  /** Where the rows go as JSON lines. */
  readonly out: string | undefined;
  readonly help: boolean;
}

const DEFAULT_TIME = 100;

export const HELP = `Measures what one step costs the host, in microseconds: plan.encode, and calls.

Usage: npm run bench:host -- [options]

  --adapter NAME   swiftshader (default), lavapipe, hardware, or a part of an adapter's name
  --only TEXT      only the cases whose name contains TEXT
  --time MS        milliseconds for each figure (default ${DEFAULT_TIME})
  --out FILE       also append the rows to FILE, as JSON lines
  -h, --help       print this
`;

/** Reads the command line; throws for an unknown option or a bad value. */
export function parseOptions(args: readonly string[]): HostOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      adapter: { type: 'string', default: 'swiftshader' },
      only: { type: 'string', default: '' },
      time: { type: 'string', default: String(DEFAULT_TIME) },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const time = Number(values.time);
  if (!(time > 0)) throw new Error(`--time is '${values.time}'; give milliseconds above 0.`);
  return { adapter: values.adapter, only: values.only, time, out: values.out, help: values.help };
}
