/** One way of deciding, measured: share of strong calls and accuracy, both in percent. */
export interface Point {
  readonly share: number;
  readonly accuracy: number;
}

export interface Routed {
  /** Higher: rather strong. */
  readonly score: number;
  readonly weak: boolean;
  readonly strong: boolean;
}

/** RouteLLM's figures (lm-sys/RouteLLM, routellm/evals): the area gained over always-weak, and the strong calls that half and four fifths of the gap cost. */
export interface Apgr {
  readonly apgr: number;
  readonly cpt50: number;
  readonly cpt80: number;
  readonly points: readonly Point[];
}

/** At the 11 quantiles (0, 10, ..., 100 %, linear, duplicates kept) strong answers where score >= threshold; at the last where it is above. */
export function pointsOf(routed: readonly Routed[]): Point[] {
  const sorted = routed.map(({ score }) => score).sort((a, b) => a - b);
  const points = Array.from({ length: 11 }, (_, step) => {
    const threshold = quantile(sorted, step / 10);
    const isStrong = (score: number): boolean => (step === 10 ? score > threshold : score >= threshold);
    return pointOf(routed, isStrong);
  });
  return points.sort((a, b) => a.share - b.share);
}

function pointOf(routed: readonly Routed[], isStrong: (score: number) => boolean): Point {
  let [calls, right] = [0, 0];
  for (const { score, weak, strong } of routed) {
    const called = isStrong(score);
    if (called) calls++;
    if (called ? strong : weak) right++;
  }
  return { share: (100 * calls) / routed.length, accuracy: (100 * right) / routed.length };
}

function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** @param points in the order of share. @param ends accuracy of always-weak and always-strong, in percent. */
export function apgrOf(points: readonly Point[], { weak, strong }: { readonly weak: number; readonly strong: number }): Apgr {
  let area = 0;
  for (let at = 1; at < points.length; at++) {
    const [one, other] = [points[at - 1]!, points[at]!];
    area += ((other.share - one.share) / 100) * ((one.accuracy + other.accuracy) / 2);
  }
  const [first, last] = [points[0]!, points[points.length - 1]!];
  const range = (last.share - first.share) / 100;
  return {
    apgr: (area / range - weak) / (strong - weak),
    cpt50: shareAt(points, weak + 0.5 * (strong - weak)),
    cpt80: shareAt(points, weak + 0.8 * (strong - weak)),
    points,
  };
}

/**
 * Share at an accuracy by linear interpolation. The curve is made monotone first (running maximum): theirs leaves a falling one to numpy, whose result
 * is then undefined.
 */
function shareAt(points: readonly Point[], accuracy: number): number {
  let before: Point | undefined;
  for (const point of points) {
    if (point.accuracy >= accuracy) {
      if (before === undefined) return point.share;
      return before.share + ((point.share - before.share) * (accuracy - before.accuracy)) / (point.accuracy - before.accuracy);
    }
    if (before === undefined || point.accuracy >= before.accuracy) before = point;
    else before = { share: point.share, accuracy: before.accuracy };
  }
  return 100;
}
