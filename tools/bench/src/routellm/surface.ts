/** What the form of a prompt says of its difficulty, before its words do; each with the range it is scaled by. */
export const surface = {
  length: { max: 5000, of: ({ text }) => text.length },
  stem: { max: 5000, of: ({ stem }) => stem.length },
  options: { max: 2000, of: ({ text, stem }) => text.length - stem.length },
  words: { max: 1000, of: ({ text }) => text.split(/\s+/).length },
  lines: { max: 30, of: ({ text }) => countOf(text, /\n/g) },
  digits: { max: 0.3, of: ({ text }) => countOf(text, /\d/g) / text.length },
  symbols: { max: 0.2, of: ({ text }) => countOf(text, /[$\\^=+*/<>]/g) / text.length },
  capitals: { max: 0.3, of: ({ text }) => countOf(text, /[A-Z]/g) / text.length },
  negation: { max: 1, of: ({ stem }) => (/\b(not|except)\b/i.test(stem) ? 1 : 0) },
  blank: { max: 1, of: ({ stem }) => (stem.includes('___') ? 1 : 0) },
  numericOptions: { max: 1, of: ({ choices }) => choices.filter((choice) => /^[-$(]?[\d.,/%]+/.test(choice)).length / choices.length },
  uneven: { max: 1, of: ({ choices }) => 1 - Math.min(...lengths(choices)) / Math.max(1, ...lengths(choices)) },
  longest: { max: 400, of: ({ choices }) => Math.max(...lengths(choices)) },
  wordLength: { max: 12, of: ({ stem }) => stem.length / Math.max(1, stem.split(/\s+/).length) },
} as const satisfies Record<string, { readonly max: number; readonly of: (prompt: Dissected) => number }>;

export type SurfaceName = keyof typeof surface;
export const surfaceNames = Object.keys(surface) as SurfaceName[];

interface Dissected {
  readonly text: string;
  /** Before the first option. */
  readonly stem: string;
  /** The options, at least one string. */
  readonly choices: readonly string[];
}

/** Stem and options of a multiple-choice prompt; a prompt without options is all stem. */
export function surfaceOf(text: string): Record<SurfaceName, number> {
  const [stem = '', ...choices] = text.replace(/\nAnswer:\s*$/, '').split(/\n[A-H]\. /);
  const prompt = { text, stem, choices: choices.length === 0 ? [''] : choices };
  return Object.fromEntries(surfaceNames.map((name) => [name, surface[name].of(prompt)])) as Record<SurfaceName, number>;
}

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
const lengths = (choices: readonly string[]): number[] => choices.map((choice) => choice.length);
