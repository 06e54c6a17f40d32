import type { Case } from '../measure/contender.js';
import type { Row } from '../report/row.js';

/** Somewhere that the comparison runs. */
export interface Place {
  measure(of: Case): Promise<readonly Row[]>;
  close(): Promise<void>;
}
