/** Mean and spread (sample standard deviation) of a figure over seeds. */
export interface Spread {
  readonly mean: number;
  readonly sd: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}

/** `3.34 ± 0.08`. */
export function told({ mean, sd }: Spread, digits = 2): string {
  return `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`;
}

/** The upper of the two where their number is even; NaN of none. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}
