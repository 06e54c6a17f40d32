// The few pieces that all panels are built of.

/** `true` is an attribute without a value; `false` and `undefined` are none. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An HTML element with attributes and children; strings become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** The same for SVG. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A formula within a text: it is not broken where the next line has room for all of it. */
export function formula(text: string): HTMLElement {
  return element('span', { class: 'formula' }, text);
}

let ids = 0;

/** An id that nothing else on the page has. */
export function newId(): string {
  return `part-${++ids}`;
}

/**
 * A control with its label, and a hint below it where there is one.
 *
 * @param input a form control, or something around one that already has the id
 */
export function field(label: string, input: HTMLElement, hint?: string): HTMLElement {
  if (input.id === '') input.id = newId();
  const made = element('div', { class: 'field' }, element('label', { for: input.id }, label), input);
  if (hint !== undefined) {
    const described = element('small', { id: newId() }, hint);
    input.setAttribute('aria-describedby', described.id);
    made.append(described);
  }
  return made;
}

/** A `<select>`; `options` are labels by their values, the first of which is chosen. */
export function selectOf(options: Readonly<Record<string, string>>): HTMLSelectElement {
  return element(
    'select',
    {},
    ...Object.entries(options).map(([value, label]) => element('option', { value }, label)),
  );
}

/** A button that does something when it is pressed; never submits a form. */
export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', press);
  return made;
}

export interface StatusLine {
  readonly root: HTMLElement;
  /** Shows the text, and has it read to those who do not see it. The same text again is not read again. */
  say(text: string): void;
}

/** A line that tells what is going on. */
export function statusLine(): StatusLine {
  const root = element('p', { class: 'status', role: 'status' });
  return {
    root,
    say(text) {
      if (root.textContent !== text) root.textContent = text;
    },
  };
}

export interface Figures<K extends string> {
  readonly root: HTMLElement;
  set(values: Readonly<Partial<Record<K, string>>>): void;
}

/** A list of labelled figures; `labels` by the names under which they are set. Each `<dd>` has its name as `data-figure`. */
export function figureList<K extends string>(labels: Readonly<Record<K, string>>): Figures<K> {
  const values = new Map<string, HTMLElement>();
  const root = element('dl', { class: 'figures' });
  for (const [name, label] of Object.entries<string>(labels)) {
    const value = element('dd', { 'data-figure': name }, '…');
    values.set(name, value);
    root.append(element('div', { class: 'figure' }, element('dt', {}, label), value));
  }
  return {
    root,
    set(given) {
      for (const [name, text] of Object.entries<string | undefined>(given)) {
        const value = values.get(name);
        if (value && text !== undefined && value.textContent !== text) value.textContent = text;
      }
    },
  };
}
