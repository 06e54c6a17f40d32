// What is summed up over rows, in float64 and one row after the other, so that chunks change no bit of a result.

/** What the device says of rows, one value a row. */
export interface RowValues {
  /** -log p of the target, in nats. */
  readonly losses: ArrayLike<number>;
  /** -log p of the likeliest class, in nats. */
  readonly surprises: ArrayLike<number>;
  /** Of the predicted distribution, in nats. */
  readonly entropies: ArrayLike<number>;
  /** Classes that come before the target; -1 where a logit is NaN. */
  readonly ranks: ArrayLike<number>;
}

/** Rows whose likeliest class has a probability above `from` and up to `to`; means over them, NaN where there are none. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly accuracy: number;
  readonly confidence: number;
}

/** Means are over the rows that were scored: NaN where there are none, and, but for accuracies, where one of them is NaN. */
export interface Summary {
  readonly scored: number;
  readonly ignored: number;
  /** Scored rows whose loss is NaN: a NaN or +Infinity among the logits, or nothing but -Infinity. */
  readonly nanRows: number;
  /** The first of them, counted from 0. */
  readonly firstNanRow: number | undefined;
  /** Scored rows whose loss is Infinity: the target's logit is -Infinity, or the loss beyond float32. */
  readonly infiniteRows: number;
  /** In nats. */
  readonly loss: number;
  readonly perplexity: number;
  /** In nats. */
  readonly entropy: number;
  /** Share of rows whose target is the class with the largest logit, the first one of equals. */
  readonly accuracy: number;
  readonly top5Accuracy: number;
  /** Expected calibration error: sum over bins of their share of rows times |accuracy - confidence|. */
  readonly calibrationError: number;
  readonly calibration: readonly CalibrationBin[];
}

export class Tally {
  private rows = 0;
  private ignored = 0;
  private nanRows = 0;
  private firstNanRow: number | undefined;
  private infiniteRows = 0;
  private loss = 0;
  private entropy = 0;
  private right = 0;
  private rightOfFive = 0;
  private unsure = 0;
  private readonly binRows: Float64Array;
  private readonly binRight: Float64Array;
  private readonly binConfidence: Float64Array;

  constructor(bins: number) {
    this.binRows = new Float64Array(bins);
    this.binRight = new Float64Array(bins);
    this.binConfidence = new Float64Array(bins);
  }

  /** Adds rows that follow those before; `kept(r)` says whether one counts. */
  add(rows: number, kept: (r: number) => boolean, { losses, surprises, entropies, ranks }: RowValues): void {
    for (let r = 0; r < rows; r++) {
      if (!kept(r)) {
        this.ignored++;
        continue;
      }
      const loss = losses[r] as number;
      const rank = ranks[r] as number;
      if (Number.isNaN(loss)) {
        this.nanRows++;
        this.firstNanRow ??= this.rows + this.ignored;
      } else if (loss === Number.POSITIVE_INFINITY) {
        this.infiniteRows++;
      }
      this.rows++;
      this.loss += loss;
      this.entropy += entropies[r] as number;
      if (rank === 0) this.right++;
      if (rank >= 0 && rank < 5) this.rightOfFive++;
      // A row with a NaN has no likeliest class.
      this.addConfidence(rank < 0 ? Number.NaN : Math.exp(-(surprises[r] as number)), rank === 0);
    }
  }

  private addConfidence(confidence: number, right: boolean): void {
    if (Number.isNaN(confidence)) {
      this.unsure++;
      return;
    }
    const bins = this.binRows.length;
    const bin = Math.min(Math.max(Math.ceil(confidence * bins) - 1, 0), bins - 1);
    this.binRows[bin] = (this.binRows[bin] as number) + 1;
    this.binConfidence[bin] = (this.binConfidence[bin] as number) + confidence;
    if (right) this.binRight[bin] = (this.binRight[bin] as number) + 1;
  }

  summary(): Summary {
    const { rows } = this;
    const bins = this.binRows.length;
    let gap = this.unsure > 0 ? Number.NaN : 0;
    const calibration = Array.from(this.binRows, (count, bin): CalibrationBin => {
      const right = this.binRight[bin] as number;
      const confidence = this.binConfidence[bin] as number;
      gap += Math.abs(right - confidence);
      return {
        from: bin / bins,
        to: (bin + 1) / bins,
        rows: count,
        accuracy: right / count,
        confidence: confidence / count,
      };
    });
    const loss = this.loss / rows;
    return {
      scored: rows,
      ignored: this.ignored,
      nanRows: this.nanRows,
      firstNanRow: this.firstNanRow,
      infiniteRows: this.infiniteRows,
      loss,
      perplexity: Math.exp(loss),
      entropy: this.entropy / rows,
      accuracy: this.right / rows,
      top5Accuracy: this.rightOfFive / rows,
      calibrationError: gap / rows,
      calibration,
    };
  }
}
