// Mounts the panels, which know nothing of each other.
import { CHOICES, type Choice, readChoice } from './backend.js';
import { element } from './dom.js';
import { mountMeasure } from './measure/measure.js';
import { mountSee } from './see/see.js';
import { mountTrain } from './train/train.js';

const CHOICE_NAMES: { readonly [C in Choice]: string } = {
  auto: 'Hardware WebGPU, else the CPU',
  webgpu: 'Any WebGPU, software too',
  cpu: 'The CPU',
};

/** The choice that the address asks for; of an address that asks for something else the page says so. */
function choiceOfPage(): Choice {
  try {
    return readChoice(location.search);
  } catch (error) {
    const complaint = byId('complaint');
    complaint.textContent = (error as Error).message;
    complaint.hidden = false;
    return 'auto';
  }
}

/** Links to the same page on another backend. */
function linkBackends(choice: Choice): void {
  const links = CHOICES.map((other) =>
    element(
      'a',
      { href: `?backend=${other}`, 'aria-current': other === choice ? 'true' : undefined },
      CHOICE_NAMES[other],
    ),
  );
  byId('backends').append('Computes on:', ...links);
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element with the id ${id}`);
  return found;
}

const choice = choiceOfPage();
linkBackends(choice);
mountTrain(byId('train'), choice);
mountSee(byId('see'), choice);
mountMeasure(byId('measure'), choice);
