import { describe, expect, test } from 'vitest';
import { type Calibration, calibrationError, calibrationState, reliabilityDiagram } from '../src/index.js';
import { numbers } from './support/cases.js';

const X = numbers('float32', 600, 'within ±8', 1);
const TARGETS = Int32Array.from({ length: 200 }, (_, row) => row % 3);
const calibration = calibrationError(X, TARGETS, { shape: [200, 3], bins: 10 });
const EMPTY = calibrationError([], [], { shape: [0, 3] });

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The elements of XML, in order. @throws Error unless it is well-formed */
function elementsOf(xml: string): Element[] {
  const open: string[] = [];
  const elements: Element[] = [];
  const rest = xml.replace(
    /<(\/?)(\w+)((?:\s[\w-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*)(\/?)>/g,
    (_, closes, name, list, ends) => {
      if (closes !== '') {
        if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
        return '';
      }
      const pairs = [...(list as string).matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
      elements.push({ name, attributes: Object.fromEntries(pairs) });
      if (ends === '') open.push(name);
      return '';
    },
  );
  if (open.length > 0) throw new Error(`<${open[0]}> stays open`);
  if (/[<>]|&(?!(amp|lt|gt|quot);)/.test(rest)) throw new Error(`not well-formed: ${rest}`);
  return elements;
}

interface Span {
  readonly left: number;
  readonly right: number;
  readonly from: number;
  readonly height: number;
}

/** The sides of a panel, by its axes. */
function sidesOf(
  elements: readonly Element[],
  panel: Panel,
): { left: number; top: number; bottom: number; right: number } {
  const axes = elements.filter(({ attributes }) => attributes.class === 'axis');
  const path = axes[panel === 'accuracies' ? 0 : 1]!.attributes.d!;
  const [left, top, bottom, right] = path.match(/[\d.]+/g)!.map(Number) as [number, number, number, number];
  return { left, top, bottom, right };
}

type Panel = 'accuracies' | 'rows';

/** The range of a rectangle of this class, as values on its panel's axes: accuracies, or numbers of rows. */
function spans(svg: string, kind: string, panel: Panel = 'accuracies'): Span[] {
  const elements = elementsOf(svg);
  const { left, top, bottom, right } = sidesOf(elements, panel);
  return elements
    .filter(
      ({ attributes }) =>
        attributes.class === kind && Number(attributes.y) + Number(attributes.height) <= bottom + 0.02,
    )
    .filter(({ attributes }) => Number(attributes.y) >= top)
    .map(({ attributes: { x, y, width, height } }) => ({
      left: (Number(x) - left) / (right - left),
      right: (Number(x) + Number(width) - left) / (right - left),
      from: (bottom - Number(y) - Number(height)) / (bottom - top),
      height: Number(height) / (bottom - top),
    }));
}

describe('draws', () => {
  test('a bar and a gap for each bin that holds rows', () => {
    const svg = reliabilityDiagram(calibration);
    const filled = calibration.bins.filter(({ count }) => count > 0);
    expect(filled.length).toBeGreaterThan(5);
    const [bars, gaps] = [spans(svg, 'bar'), spans(svg, 'gap')];
    expect(bars).toHaveLength(filled.length);
    expect(gaps).toHaveLength(filled.length);
    filled.forEach(({ lower, upper, accuracy, confidence }, i) => {
      for (const drawn of [bars[i]!, gaps[i]!]) {
        expect(drawn.left).toBeCloseTo(lower, 3);
        expect(drawn.right).toBeCloseTo(upper, 3);
      }
      expect(bars[i]!.from).toBeCloseTo(0, 3);
      expect(bars[i]!.height).toBeCloseTo(accuracy, 3);
      expect(gaps[i]!.from).toBeCloseTo(Math.min(accuracy, confidence), 3);
      expect(gaps[i]!.height).toBeCloseTo(Math.abs(accuracy - confidence), 3);
    });
    expect(svg).toContain(`>ECE ${calibration.ece.toFixed(3)}<`);
    expect(svg).toContain('>200 rows<');
    expect(svg).toContain(`>${Math.max(...filled.map(({ count }) => count))}<`);
  });

  test('how many rows each bin holds, relative to the fullest', () => {
    const drawn = calibrationError([0.1, 0.3, 0.4, 0.4, 0.7, 0.9], [0, 1, 0, 1, 1, 1], {
      from: 'probabilities',
      bins: 5,
    });
    const counts = drawn.bins.map(({ count }) => count);
    const most = Math.max(...counts);
    expect(counts.at(-1)).toBeLessThan(most);
    const svg = reliabilityDiagram(drawn);
    const filled = counts.filter((count) => count > 0);
    expect(spans(svg, 'bar', 'rows').map(({ height }) => Math.round(height * most))).toEqual(filled);
    expect(svg).toContain(`>${most}<`);
  });

  test('a gap above the confidence where that is less than the accuracy', () => {
    const svg = reliabilityDiagram(calibrationError([0.75], [1], { from: 'probabilities' }));
    const [gap] = spans(svg, 'gap');
    expect(gap?.from).toBeCloseTo(0.75, 3);
    expect(gap?.height).toBeCloseTo(0.25, 3);
  });

  test('the diagonal, and numbers along the axes', () => {
    const svg = reliabilityDiagram(calibration);
    const elements = elementsOf(svg);
    const { left, top, bottom, right } = sidesOf(elements, 'accuracies');
    const ideal = elements.find(({ attributes }) => attributes.class === 'ideal');
    expect(ideal?.attributes).toMatchObject({ x1: `${left}`, y1: `${bottom}`, x2: `${right}`, y2: `${top}` });
    const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>(\d\.\d)</g)].map((match) =>
      match.map(Number),
    );
    expect(labels.map(([, , , value]) => value)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1, 0, 0.2, 0.4, 0.6, 0.8, 1]);
    for (const [, , y, value] of labels.slice(0, 6)) {
      expect(Math.abs(y! - (bottom - value! * (bottom - top)))).toBeLessThan(5);
    }
    for (const [, x, , value] of labels.slice(6)) expect(x).toBeCloseTo(left + value! * (right - left), 1);
  });

  test('in light and dark, for screen readers', () => {
    const svg = reliabilityDiagram(calibration);
    const [root] = elementsOf(svg) as [Element];
    expect(root.attributes).toMatchObject({ role: 'img', width: '480', height: '480', viewBox: '0 0 480 480' });
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).toMatch(
      /<title>Reliability diagram<\/title>\n<desc>Accuracy against confidence of 200 rows in \d bins; /,
    );
  });

  test('any size, and the same picture each time', () => {
    for (const [width, height] of [
      [240, 240],
      [640, 300],
      [1234.5, 4000],
    ] as const) {
      const svg = reliabilityDiagram(calibration, { width, height, title: 'T' });
      expect(svg).toBe(reliabilityDiagram(calibration, { width, height, title: 'T' }));
      for (const { attributes } of elementsOf(svg)) {
        if (attributes.x === undefined || attributes.width === '100%') continue;
        expect(Number(attributes.x)).toBeGreaterThanOrEqual(0);
        expect(Number(attributes.x) + Number(attributes.width ?? 0)).toBeLessThanOrEqual(width);
        expect(Number(attributes.y)).toBeLessThanOrEqual(height);
      }
    }
  });

  test.each<[string, Calibration]>([
    ['no rows', EMPTY],
    ['no bins', { ...EMPTY, bins: [] }],
    ['NaN', calibrationError([Number.NaN, 1], [0], { shape: [1, 2] })],
    ['equal mass', calibrationError(X, TARGETS, { shape: [200, 3], scheme: 'mass' })],
    ['one number for each row', calibrationError([0, 0.5, 1], [0, 1, 1], { from: 'probabilities' })],
    ['rounded beyond probabilities', calibrationError([-1e-3, 1 + 1e-3], [0, 1], { from: 'probabilities' })],
  ])('%s', (_, drawn) => {
    const svg = reliabilityDiagram(drawn);
    for (const { attributes } of elementsOf(svg)) {
      for (const name of ['x', 'y', 'width', 'height', 'x1', 'y1', 'x2', 'y2', 'd']) {
        expect(attributes[name] ?? '').toMatch(/^[\dMVH.% -]*$/);
        if (name !== 'd') expect(attributes[name] ?? '').not.toContain('-');
      }
    }
  });

  test('the same from JSON, where NaN is null', () => {
    for (const each of [calibration, EMPTY, calibrationError([Number.NaN, 1], [0], { shape: [1, 2] })]) {
      const state = JSON.parse(JSON.stringify(each)) as Calibration;
      expect(reliabilityDiagram(state)).toBe(reliabilityDiagram(each));
    }
    const state = calibrationState({ bins: 10 }).add(X, TARGETS, { shape: [200, 3] });
    expect(reliabilityDiagram(state.value)).toBe(reliabilityDiagram(calibration));
  });
});

describe('the title', () => {
  test.each([
    ['a < b & "c" > d', 'a &lt; b &amp; &quot;c&quot; &gt; d'],
    ['</text><script>alert(1)</script>', '&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['&amp;', '&amp;amp;'],
    ['a & b & c', 'a &amp; b &amp; c'],
    ['\u0000\u0008\ud800 \udc00x\ufffe', '\ufffd\ufffd\ufffd \ufffdx\ufffd'],
    ['Kalibrierung – 校准 😀', 'Kalibrierung – 校准 😀'],
  ])('%j is text', (title, escaped) => {
    const svg = reliabilityDiagram(calibration, { title });
    elementsOf(svg);
    expect(svg).toContain(`<title>${escaped}</title>`);
    expect(svg).toContain(` class="title">${escaped}</text>`);
    expect(svg).not.toContain('<script');
  });

  test('is above everything else, or absent', () => {
    expect(reliabilityDiagram(calibration)).not.toContain('class="title"');
    const drawn = elementsOf(reliabilityDiagram(calibration, { title: 'T' })).filter(({ name }) => name !== 'svg');
    const at = drawn.findIndex(({ attributes }) => attributes.class === 'title');
    const title = Number(drawn[at]?.attributes.y);
    for (const { attributes } of drawn.slice(at + 1)) {
      if (attributes.y === undefined || attributes.transform !== undefined) continue;
      expect(Number(attributes.y)).toBeGreaterThan(title + 10);
    }
  });
});

describe('refuses', () => {
  const [BIN] = calibration.bins.filter(({ count }) => count > 0) as [Calibration['bins'][number]];

  test.each<[unknown, object | undefined, typeof Error, string]>([
    [undefined, {}, TypeError, 'calibration is undefined, expected what calibrationError gives'],
    ['{}', {}, TypeError, 'calibration is "{}", expected what calibrationError gives'],
    [{}, {}, TypeError, "calibration is an object, expected what calibrationError gives, or a state's value"],
    [{ ece: 0, bins: [1] }, {}, TypeError, 'calibration.bins[0] is 1, expected a bin'],
    [{ ece: 0, bins: [BIN, {}] }, {}, TypeError, 'calibration.bins[1].count is undefined, expected a whole number'],
    [{ ece: 0, bins: [{ ...BIN, count: 0.5 }] }, {}, RangeError, 'calibration.bins[0].count is 0.5, expected a whole'],
    [{ ece: 0, bins: [{ ...BIN, lower: '<' }] }, {}, TypeError, 'calibration.bins[0].lower is "<", expected a number'],
    [
      { ece: 0, bins: [{ ...BIN, accuracy: {} }] },
      {},
      TypeError,
      'calibration.bins[0].accuracy is an object, expected',
    ],
    [{ bins: [BIN] }, {}, TypeError, 'calibration.ece is undefined, expected a number'],
    [calibration, { width: 100 }, RangeError, 'width is 100, expected a number in [240, 4000]'],
    [calibration, { height: Number.NaN }, RangeError, 'height is NaN, expected a number in [240, 4000]'],
    [calibration, { height: '9' }, TypeError, 'height is "9", expected a number'],
    [calibration, { title: 3 }, TypeError, 'title is 3, expected a string'],
    [calibration, { label: 'x' }, TypeError, 'unknown option "label", expected one of width, height, title'],
    [calibration, 3 as never, TypeError, 'options is 3, expected an object'],
  ])('%#', (given, options, Type, message) => {
    const run = () => reliabilityDiagram(given as Calibration, options);
    expect(run).toThrow(Type);
    expect(run).toThrow(`reliabilityDiagram: ${message}`);
  });

  test('revoked proxies, and passes errors of getters through', () => {
    const { proxy, revoke } = Proxy.revocable(calibration, {});
    revoke();
    expect(() => reliabilityDiagram(proxy)).toThrow('reliabilityDiagram: calibration is a revoked proxy');
    const own = new TypeError('mine');
    const bad = {
      ...calibration,
      get bins(): never {
        throw own;
      },
    };
    expect(() => reliabilityDiagram(bad)).toThrow(own);
  });

  test('a bin whose count changes while it is read', () => {
    let reads = 0;
    const bin = {
      ...BIN,
      get count() {
        reads++;
        return BIN.count;
      },
    };
    reliabilityDiagram({ ...calibration, bins: [bin] });
    expect(reads).toBe(1);
  });
});
