import { keyedUniform, SluiceError, type Answer, type Clock, type Flow, type Millis } from '@sluice/domain';
import { isFailure } from '@sluice/routing';
import type { ModelServer } from '@sluice/serving';
import { Circuit, type Evidence } from './circuit.ts';

type Answers = readonly (Answer | SluiceError)[];

export interface BreakerOptions {
  readonly model: string;
  /** Name of this process: those that lose the same model at the same time try it again at different ones. */
  readonly instance: string;
  readonly flow: Pick<Flow, 'breaker' | 'request'>;
  readonly clock: Clock;
}

/**
 * Keeps batches away from a model that fails them whole, answers them too late, or is too far behind its topic, so that their events go on to the
 * fallback at once instead of waiting for one time-out after the other. After the dwell time one batch tries it again.
 */
export class ModelBreaker {
  readonly #options: BreakerOptions;
  readonly #circuit: Circuit;
  readonly #slowMs: Millis;
  #draws = 0;
  /** What last spoke against the model. */
  #why = 'failed';

  constructor(options: BreakerOptions) {
    this.#options = options;
    const { model, instance, flow } = options;
    this.#circuit = new Circuit({ name: model, ...flow.breaker, random: () => keyedUniform(`${instance}/${model}`, this.#draws++) });
    this.#slowMs = flow.breaker.slowMs ?? flow.request.deadlineMs;
  }

  /** True while batches are kept away. */
  get isOpen(): boolean {
    return this.#circuit.isOpen(this.#options.clock.now());
  }

  /** The model behind the breaker. */
  before(server: Pick<ModelServer, 'manifest' | 'infer'>): Pick<ModelServer, 'manifest' | 'infer'> {
    return {
      get manifest() {
        return server.manifest;
      },
      infer: (values, urgency) => this.guard(values.length, () => server.infer(values, urgency)),
    };
  }

  /** Runs `infer` for `rows` rows, or answers each row with SLUICE_BREAKER_OPEN. */
  async guard(rows: number, infer: () => Promise<Answers>): Promise<Answers> {
    if (rows === 0) return [];
    const { clock } = this.#options;
    const begun = clock.now();
    const pass = this.#circuit.enter(begun);
    if (pass === undefined) return new Array<SluiceError>(rows).fill(this.#refusal());
    let evidence: Evidence = 'failed';
    try {
      const answers = await infer();
      evidence = this.#evidenceOf(answers, clock.now() - begun);
      return answers;
    } finally {
      this.#circuit.leave(pass, evidence, clock.now());
    }
  }

  /** @param delay how long a record put on the model's topic now would wait, as the worker last reckoned. */
  lags(delay: Millis): void {
    const { flow, clock } = this.#options;
    if (flow.breaker.lagMs === undefined || delay <= flow.breaker.lagMs) return;
    this.#why = `is ${delay} ms behind its topic`;
    this.#circuit.trip(clock.now());
  }

  /** One answer in time is enough; rows that failed for their own bytes say nothing of the model. */
  #evidenceOf(answers: Answers, took: Millis): Evidence {
    const { failures } = this.#options.flow.breaker;
    if (answers.some((answer) => !(answer instanceof SluiceError))) {
      if (took <= this.#slowMs) return 'answered';
      this.#why = `was too slow for ${failures} batches in a row, with ${took} ms for the last`;
      return 'failed';
    }
    if (!answers.some((answer) => answer instanceof SluiceError && isFailure(answer.code))) return 'nothing';
    this.#why = `failed ${failures} batches in a row`;
    return 'failed';
  }

  #refusal(): SluiceError {
    return new SluiceError('SLUICE_BREAKER_OPEN', `${this.#options.model} ${this.#why} and is left alone for a while`);
  }
}
