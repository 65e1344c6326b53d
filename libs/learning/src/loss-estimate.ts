import type { Example } from '@sluice/domain';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { isHarm, type Evidence } from './evidence.ts';
import { HarmShare } from './harm-share.ts';
import { OpenAudits } from './open-audits.ts';

/** Audits kept open for their truth: at most 37 kB of state. */
const openAudits = 3072;

/**
 * The doubly robust estimate of an event's loss in the parts in which it becomes known (docs/routing.md 3b): the predicted harm g, after
 * an audit `(rho d - g) / p`, with the truth `(y - rho d) / p`. Each call gives the part that its feedback adds.
 */
export class LossEstimate {
  readonly share: HarmShare;
  readonly #audits: OpenAudits;

  constructor(share = new HarmShare(), audits = new OpenAudits(openAudits)) {
    this.share = share;
    this.#audits = audits;
  }

  static read(from: ByteReader): LossEstimate {
    return new LossEstimate(HarmShare.read(from), OpenAudits.read(from, openAudits));
  }

  write(to: ByteWriter): void {
    this.share.write(to);
    this.#audits.write(to);
  }

  /** An audited, lightly served event was answered by all tiers: disagreement instead of the prediction. */
  compared({ id, harm }: Example, { served, heavy, probability }: Evidence): number {
    const rho = this.share.value;
    this.#audits.open(id, rho);
    return ((served === heavy!.label ? 0 : rho) - harm) / probability;
  }

  /** Its last part: truth, or the end of waiting for it, instead of the disagreement. */
  settled({ id, harm, truth }: Example, evidence: Evidence, harmed: boolean): number {
    const { served, heavy, compared, overruled, probability } = evidence;
    const disagreed = heavy !== undefined && served !== heavy.label;
    const rho = this.#audits.close(id) ?? this.share.value;
    // Overruling heavy is a disagreement known beforehand: the predicted harm has counted it already.
    const before = compared && !overruled ? (disagreed ? rho : 0) : harm;
    if (disagreed && !overruled && truth !== null) this.share.observe(harmed);
    return ((harmed ? 1 : 0) - before) / probability;
  }
}

/** Whether an audited light answer did harm; undefined when neither heavy's answer nor the truth ever came. */
export function settledHarm({ truth }: Example, { served, heavy }: Evidence): boolean | undefined {
  if (served === undefined || (heavy === undefined && truth === null)) return undefined;
  // Where heavy never answered, "wrong" bounds "wrong where heavy is right" from above.
  return heavy === undefined ? served !== truth : isHarm(served, heavy, truth);
}
