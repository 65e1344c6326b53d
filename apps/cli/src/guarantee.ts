import { Command, InvalidArgumentError } from 'commander';
import type { Flow } from '@sluice/domain';
import { lossBound, samplingWidth, thetaStart } from '@sluice/learning';
import { auditProbability } from '@sluice/routing';
import { loadFlow } from '@sluice/service';

export interface GuaranteeOptions {
  readonly flow: string;
  readonly events: number;
  readonly delay: number;
  readonly json: boolean;
}

/** The two numbers of docs/loss-bound.md, in shares of events. */
export interface Guarantee {
  readonly declared: number;
  readonly events: number;
  readonly delay: number;
  /** What the expected loss may exceed the declared one by. */
  readonly excess: number;
  /** How far the realised loss may lie from the expected one, with 95 % confidence. */
  readonly sampling: number;
}

/** `sluice guarantee`: what the loss bound says for a flow's own settings. */
export function guaranteeCommand(): Command {
  return new Command('guarantee')
    .description("Says what is promised about a flow's loss: the bound, and how far chance may lie from it.")
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .option('--events <n>', 'events the promise is about', wholeNumber, 100_000)
    .option('--delay <n>', 'events between a decision and its truth, and the policy that knows of it', wholeNumber, 500)
    .option('--json', 'print the numbers instead of the sentences', false)
    .action(async (options: GuaranteeOptions) => {
      const { flow } = await loadFlow(options.flow);
      const promised = guaranteeOf(flow, options);
      process.stdout.write(`${options.json ? JSON.stringify(promised, null, 2) : renderGuarantee(flow, promised)}\n`);
    });
}

export function guaranteeOf(flow: Flow, { events, delay }: Pick<GuaranteeOptions, 'events' | 'delay'>): Guarantee {
  const declared = flow.target.maxLoss;
  const { rate } = flow.audit;
  const pMin = auditProbability(rate, 0);
  const bound = lossBound({ epsilon: declared, eta: flow.controller.gain, thetaStart: thetaStart(declared), delay, pMin, events });
  return {
    declared,
    events,
    delay,
    excess: bound.excessRate,
    sampling: samplingWidth({ epsilon: declared, auditRate: rate, events, delta: 0.05 }),
  };
}

export function renderGuarantee(flow: Flow, { declared, events, delay, excess, sampling }: Guarantee): string {
  if (!flow.controller.enabled) return `${flow.flow}: controller.enabled is false, so nothing is promised about its loss.`;
  return [
    `${flow.flow}: of ${events} events, with truth at most ${delay} events late, the expected share that heavy would have got right and the`,
    `served answer got wrong is at most ${percent(declared)} (declared) + ${percent(excess)} (excess) = ${percent(declared + excess)}, whatever the stream does.`,
    `Audits see only a part: what is realised lies within ${percent(sampling)} of the expected with 95 % confidence.`,
    ...(flow.target.measure === 'absolute'
      ? [`The target is absolute: of the ${percent(declared)} heavy's own error takes its part, and the excess comes on top of the two.`]
      : []),
    ...(flow.target.segments === undefined
      ? []
      : [
          `Of ${events} events of one segment by ${flow.target.segments.by} the same is promised; those beyond the first ${flow.target.segments.most} are one together.`,
        ]),
    `Longer streams shrink both; docs/loss-bound.md has theorem and proof.`,
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a positive whole number is expected.');
  return value;
}
