import { TargetOutOfRangeError } from '../../errors.js';
import { openContext } from '../context.js';
import { type ArrayFile, openArray } from '../files/arrayFile.js';
import { FileError } from '../files/byteSource.js';
import { toJsonText } from '../json.js';
import { HELP, parseOptions } from './options.js';
import { progressBar } from './progress.js';
import { type Evaluation, formatReport, toJson } from './report.js';
import { checkTargets, matchFiles, score } from './score.js';

/** `webgpu-loss eval`: what it finds goes to stdout. Throws OptionError, FileError, LossError. */
export async function evaluate(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) {
    console.log(HELP);
    return;
  }
  const files: ArrayFile[] = [];
  try {
    const logits = await openArray(options.logits, 'logits');
    files.push(logits);
    const targets = await openArray(options.targets, 'targets');
    files.push(targets);
    const rows = matchFiles(logits, targets);
    await checkTargets(targets, rows, options.ignoreIndex).catch((error: unknown) => {
      throw error instanceof TargetOutOfRangeError ? inFile(targets, error) : error;
    });
    const { context, why } = await openContext(options.placement);
    const progress = progressBar(rows.rows);
    let evaluation: Evaluation;
    try {
      const start = performance.now();
      const summary = await score(context, logits, targets, rows, {
        ...options,
        onProgress: (done) => progress.update(done),
      });
      const seconds = (performance.now() - start) / 1000;
      evaluation = { logits, targets, rows, options, adapter: context.info, why, summary, seconds };
    } finally {
      progress.stop();
      context.destroy();
    }
    console.log(options.json ? toJsonText(toJson(evaluation)) : formatReport(evaluation));
  } finally {
    for (const file of files) await file.close();
  }
}

/** The error in the words of the command line. */
function inFile({ name, shape }: ArrayFile, error: TargetOutOfRangeError): FileError {
  const { row, value, classes } = error;
  // Where the targets have several dimensions, also as NumPy counts.
  const index = shape.map((size, axis) => {
    const inner = shape.slice(axis + 1).reduce((product, each) => product * each, 1);
    return Math.floor(row / inner) % size;
  });
  const at = shape.length > 1 ? `row ${row}, at [${index.join(', ')}],` : `row ${row}`;
  return new FileError(
    name,
    `the target of ${at} is ${value}, outside [0, ${classes}). Give a class index in that range, ` +
      `or --ignore-index ${value} if such rows are not to count.`,
    error,
  );
}
