// What is to be measured, as people say it.
import type { FloatDType } from 'webgpu-loss';
import type { Case, OpName } from '../../bench/measure/contender.js';
import { button, element, field, selectOf } from '../dom.js';
import { DTYPES, MOST_ELEMENTS, OPS, readCount } from './request.js';

export interface Form {
  readonly root: HTMLElement;
  /** What the form says. Throws `RangeError` where that is no case, and shows which field is wrong. */
  read(): Case;
  /** Whether something is being measured: then it can only be cancelled. */
  setBusy(busy: boolean): void;
}

export interface FormActions {
  readonly measure: () => void;
  readonly sweep: () => void;
  readonly cancel: () => void;
}

export function measureForm(actions: FormActions): Form {
  const op = selectOf(OPS);
  const dtype = selectOf(DTYPES);
  const rows = numberInput(256);
  const classes = numberInput(4096);
  const measure = element('button', { type: 'submit', class: 'primary' }, 'Measure');
  const sweep = button('Sweep over class counts', actions.sweep);
  const cancel = button('Cancel', actions.cancel, { disabled: true });
  const root = element(
    'form',
    { novalidate: true, 'aria-label': 'What to measure' },
    element(
      'div',
      { class: 'controls' },
      field('Operation', op),
      field('Rows', rows),
      field('Classes', classes),
      field('Numbers', dtype),
    ),
    element('div', { class: 'controls' }, measure, sweep, cancel),
  );
  root.addEventListener('submit', (event) => {
    event.preventDefault();
    actions.measure();
  });
  return {
    root,
    read() {
      for (const input of [rows, classes]) input.removeAttribute('aria-invalid');
      return {
        op: op.value as OpName,
        rows: readInput('Rows', rows),
        classes: readInput('Classes', classes),
        dtype: dtype.value as FloatDType,
      };
    },
    setBusy(busy) {
      measure.disabled = busy;
      sweep.disabled = busy;
      cancel.disabled = !busy;
    },
  };
}

function numberInput(value: number): HTMLInputElement {
  return element('input', { type: 'number', min: 1, max: MOST_ELEMENTS, value, inputmode: 'numeric' });
}

function readInput(what: string, input: HTMLInputElement): number {
  try {
    return readCount(what, input.value);
  } catch (error) {
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    throw error;
  }
}
