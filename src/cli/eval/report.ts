import type { AdapterFacts } from '../../info.js';
import { formatShape } from '../../shape.js';
import { adapterName } from '../context.js';
import type { ArrayFile } from '../files/arrayFile.js';
import { tensorDType } from './elements.js';
import type { EvalOptions } from './options.js';
import type { Rows } from './score.js';
import type { Summary } from './tally.js';

/** All that is told of an evaluation. */
export interface Evaluation {
  readonly logits: Pick<ArrayFile, 'name' | 'shape' | 'dtype'>;
  readonly targets: Pick<ArrayFile, 'name' | 'shape' | 'dtype'>;
  readonly rows: Rows;
  readonly options: Pick<EvalOptions, 'ignoreIndex' | 'temperature' | 'bins'>;
  readonly adapter: AdapterFacts;
  /** Why there. */
  readonly why: string;
  readonly summary: Summary;
  /** From the first logit read to the last row scored. */
  readonly seconds: number;
}

/** The object that `--json` prints. */
export function toJson({
  logits,
  targets,
  rows,
  options,
  adapter,
  why,
  summary,
  seconds,
}: Evaluation): Readonly<Record<string, unknown>> {
  const { calibrationError, calibration, ...rest } = summary;
  return {
    logits: { file: logits.name, shape: logits.shape, dtype: logits.dtype },
    targets: { file: targets.name, shape: targets.shape, dtype: targets.dtype },
    tensorDtype: tensorDType(rows.dtype, options.temperature),
    backend: adapter.backend,
    adapter: adapterName(adapter),
    why,
    ignoreIndex: options.ignoreIndex,
    temperature: options.temperature,
    rows: rows.rows,
    classes: rows.classes,
    ...rest,
    bits: summary.loss / Math.LN2,
    calibration: {
      error: calibrationError,
      // Means over no rows say nothing.
      bins: calibration.map(({ accuracy, confidence, ...bin }) =>
        bin.rows === 0 ? bin : { ...bin, accuracy, confidence },
      ),
    },
    seconds,
    tokensPerSecond: rows.rows / seconds,
  };
}

/** The same for people. */
export function formatReport(evaluation: Evaluation): string {
  const { logits, targets, rows, options, adapter, why, summary, seconds } = evaluation;
  const { ignoreIndex, temperature, bins } = options;
  const { scored, ignored, nanRows, firstNanRow, infiniteRows, loss } = summary;
  const rounded = rows.dtype === 'f64' ? ', rounded to f32' : '';
  const special = [
    ...(nanRows > 0
      ? [`${nanRows.toLocaleString('en')} with loss NaN, the first is row ${firstNanRow} (counted from 0)`]
      : []),
    ...(infiniteRows > 0 ? [`${infiniteRows.toLocaleString('en')} with loss Infinity`] : []),
  ];
  const lines: readonly (readonly [string, string])[] = [
    ['logits', `${logits.name}: ${formatShape(logits.shape)} ${logits.dtype}${rounded}`],
    ['targets', `${targets.name}: ${formatShape(targets.shape)} ${targets.dtype}`],
    ['computed on', `${adapterName(adapter)}: ${why}`],
    ...(temperature === 1 ? [] : [['temperature', String(temperature)] as const]),
    [
      'tokens',
      `${scored.toLocaleString('en')} scored, ${ignored.toLocaleString('en')} ignored (target ${ignoreIndex})`,
    ],
    ...special.map((text) => ['', text] as const),
    ['loss', `${fixed(loss, 6)} nats/token (${fixed(loss / Math.LN2, 6)} bits)`],
    [
      'perplexity',
      Number.isFinite(summary.perplexity) ? summary.perplexity.toPrecision(7) : String(summary.perplexity),
    ],
    ['entropy', `${fixed(summary.entropy, 6)} nats/token, of the predictions`],
    ['accuracy', `${percent(summary.accuracy)}, top 5 ${percent(summary.top5Accuracy)}`],
    [
      'calibration',
      `expected error ${fixed(summary.calibrationError, 6)} (${bins} equal bins of the top probability)`,
    ],
    ['speed', `${Math.round(rows.rows / seconds).toLocaleString('en')} tokens/s, reading included`],
  ];
  return lines.map(([name, text]) => `${name.padEnd(13)}${text}`).join('\n');
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(2)}%` : String(share);
}
