/** A line or a set of marks in one plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Points alone, not joined. */
  readonly marks?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const size = { width: 640, height: 320, left: 64, right: 168, top: 36, bottom: 48 } as const;
/** Told apart without colour vision (Okabe and Ito 2008). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#e69f00'] as const;

/** Plots under one another in one SVG document: axes from the data, no script, no font of its own. */
export function svgOf(plots: readonly Plot[]): string {
  const height = size.height * plots.length;
  const body = plots.map((plot, index) => `<g transform="translate(0 ${index * size.height})">${drawn(plot)}</g>`).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${body}
</svg>
`;
}

function drawn({ title, x, y, series }: Plot): string {
  const all = series.flatMap(({ points }) => points);
  const xs = axisOf(all.map(([value]) => value));
  const ys = axisOf(all.map(([, value]) => value));
  const [right, bottom] = [size.width - size.right, size.height - size.bottom];
  const atX = (value: number): number => size.left + ((value - xs.low) / (xs.high - xs.low)) * (right - size.left);
  const atY = (value: number): number => bottom - ((value - ys.low) / (ys.high - ys.low)) * (bottom - size.top);
  const grid = [
    ...xs.ticks.map((tick) => line([atX(tick), size.top, atX(tick), bottom]) + text([atX(tick), bottom + 16], label(tick), 'middle')),
    ...ys.ticks.map((tick) => line([size.left, atY(tick), right, atY(tick)]) + text([size.left - 6, atY(tick) + 4], label(tick), 'end')),
  ];
  const lines = series.map(({ points, marks }, index) => {
    const colour = colours[index % colours.length]!;
    const places = points.map(([px, py]) => [round(atX(px)), round(atY(py))] as const);
    if (marks === true) return places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="4" fill="${colour}"/>`).join('');
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${places.map((place) => place.join(',')).join(' ')}"/>`;
  });
  const names = series.map(({ name }, index) => {
    const at = size.top + 8 + index * 18;
    return `<rect x="${right + 12}" y="${at - 8}" width="12" height="4" fill="${colours[index % colours.length]!}"/>${text([right + 30, at], name, 'start')}`;
  });
  const titles = [
    `<text x="${size.left}" y="20" font-weight="bold">${escaped(title)}</text>`,
    text([(size.left + right) / 2, size.height - 10], x, 'middle'),
    `<text transform="translate(14 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
  ];
  return [...grid, ...lines, ...names, ...titles].join('\n');
}

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Ends at round numbers, with about five steps of 1, 2 or 5 times a power of ten. */
function axisOf(values: readonly number[]): Axis {
  const known = values.filter(Number.isFinite);
  const [least, most] = known.length === 0 ? [0, 1] : [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  const span = most > least ? most - least : Math.max(1, Math.abs(most));
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = power * (span / 5 / power > 5 ? 10 : span / 5 / power > 2 ? 5 : span / 5 / power > 1 ? 2 : 1);
  const low = Math.floor(least / step) * step;
  const high = Math.max(low + step, Math.ceil(most / step) * step);
  return { low, high, ticks: Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step) };
}

function line([x1, y1, x2, y2]: readonly number[]): string {
  return `<line x1="${round(x1!)}" y1="${round(y1!)}" x2="${round(x2!)}" y2="${round(y2!)}" stroke="#dddddd"/>`;
}

function text([x, y]: readonly [number, number], words: string, anchor: string): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const label = (value: number): string => String(Number(value.toPrecision(6)));
const escaped = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
