/** Helpers with which the sections find, make and describe parts of the page. */

/** The part of a section that has this `data-id`. */
export function part<E extends Element>(section: ParentNode, id: string, type: abstract new () => E): E {
  const found = section.querySelector(`[data-id="${id}"]`);
  if (!(found instanceof type)) throw new Error(`no ${type.name} with data-id ${id}`);
  return found;
}

export function sectionOf(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no section ${id}`);
  return found;
}

/** An element with these properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Calls `onClick` with the number that each button of this attribute carries. */
export function onNumberedButtons(section: Element, attribute: string, onClick: (value: number) => void): void {
  for (const button of section.querySelectorAll(`button[${attribute}]`)) {
    button.addEventListener('click', () => onClick(Number(button.getAttribute(attribute))));
  }
}

const PAUSE_MILLISECONDS = 400;

/**
 * Sets the text of a live region. The first text appears at once, a later one when no other has followed for a moment,
 * so that screen readers are not interrupted.
 */
export function announcer(region: Element): (text: string) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    if (region.textContent === '') region.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      region.textContent = text;
    }, PAUSE_MILLISECONDS);
  };
}

/** A section's slider and the text beside it. @returns its value, read when asked */
export function slider(section: Element, id: string, onChange: () => void, digits = 2): () => number {
  const input = part(section, id, HTMLInputElement);
  const output = part(section, `${id}-value`, HTMLOutputElement);
  const describe = () => {
    output.value = Number(input.value).toFixed(digits);
  };
  input.addEventListener('input', () => {
    describe();
    onChange();
  });
  describe();
  return () => Number(input.value);
}
