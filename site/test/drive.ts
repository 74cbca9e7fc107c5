/** Uses the page as a visitor does, with the mouse or with the keyboard alone. */
import type { Page } from 'puppeteer-core';

export type Hand = 'mouse' | 'keyboard';

/** The elements at which Tab stops, in the order of the page; of radio buttons, only the selected one. */
export const CONTROLS = 'a, button:enabled, input:not([type="radio"]), input:checked, textarea';
const MOST_STOPS = 200;

/** Presses Tab, or Shift and Tab, until an element has the focus. @throws Error if that never happens */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    const direction = await page.evaluate(`(() => {
      const target = document.querySelector(${JSON.stringify(selector)});
      if (target === document.activeElement) return 'here';
      const isBehind = document.activeElement !== document.body &&
        document.activeElement.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING;
      return isBehind ? 'back' : 'forward';
    })()`);
    if (direction === 'here') return;
    if (direction === 'back') await page.keyboard.down('Shift');
    await page.keyboard.press('Tab');
    if (direction === 'back') await page.keyboard.up('Shift');
  }
  throw new Error(`Tab does not come to ${selector}`);
}

/** Follows the link to a section, so that the next Tab stops in it. */
export async function goTo(page: Page, section: string): Promise<void> {
  await tabTo(page, `nav [href="#${section}"]`);
  await page.keyboard.press('Enter');
}

/** Presses a key on a control, several times. */
export async function pressOn(
  page: Page,
  selector: string,
  key: 'End' | 'Home' | 'ArrowLeft' | 'ArrowRight',
  times = 1,
) {
  await tabTo(page, selector);
  for (let press = 0; press < times; press++) await page.keyboard.press(key);
}

/** Presses the button with this text. */
export async function pressButton(page: Page, hand: Hand, section: string, text: string): Promise<void> {
  const place = await page.$$eval(
    `#${section} button`,
    (buttons, wanted) => buttons.findIndex(({ textContent }) => textContent === wanted),
    text,
  );
  if (place < 0) throw new Error(`no button ${text}`);
  const button = (await page.$$(`#${section} button`))[place]!;
  if (hand === 'mouse') return button.click();
  await button.evaluate((it) => it.setAttribute('data-wanted', ''));
  await tabTo(page, '[data-wanted]');
  await button.evaluate((it) => it.removeAttribute('data-wanted'));
  await page.keyboard.press(' ');
}
