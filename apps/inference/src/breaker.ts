import { keyedUniform, SluiceError, type Answer, type Clock, type Flow } from '@sluice/domain';
import { isFailure } from '@sluice/routing';
import type { ModelServer } from '@sluice/serving';
import { Circuit, type Evidence } from './circuit.ts';

type Answers = readonly (Answer | SluiceError)[];

export interface BreakerOptions {
  readonly model: string;
  /** Name of this process: those that lose the same model at the same time try it again at different ones. */
  readonly instance: string;
  readonly declared: Flow['breaker'];
  readonly clock: Clock;
}

/**
 * Keeps batches away from a model that fails them whole, so that their events go on to the fallback at once instead of waiting for one
 * time-out after the other. After the dwell time one batch tries it again.
 */
export class ModelBreaker {
  readonly #options: BreakerOptions;
  readonly #circuit: Circuit;
  #draws = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    const { model, instance, declared } = options;
    this.#circuit = new Circuit({ name: model, ...declared, random: () => keyedUniform(`${instance}/${model}`, this.#draws++) });
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
    const pass = this.#circuit.enter(clock.now());
    if (pass === undefined) return new Array<SluiceError>(rows).fill(this.#refusal());
    let evidence: Evidence = 'failed';
    try {
      const answers = await infer();
      evidence = evidenceOf(answers);
      return answers;
    } finally {
      this.#circuit.leave(pass, evidence, clock.now());
    }
  }

  #refusal(): SluiceError {
    const { model, declared } = this.#options;
    return new SluiceError('SLUICE_BREAKER_OPEN', `${model} failed ${declared.failures} batches in a row and is left alone for a while`);
  }
}

/** One answer is enough; rows that failed for their own bytes say nothing of the model. */
function evidenceOf(answers: Answers): Evidence {
  if (answers.some((answer) => !(answer instanceof SluiceError))) return 'answered';
  return answers.some((answer) => answer instanceof SluiceError && isFailure(answer.code)) ? 'failed' : 'nothing';
}
