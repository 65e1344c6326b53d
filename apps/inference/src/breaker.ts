import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, ExponentialBackoff, handleType } from 'cockatiel';
import { SluiceError, type Answer } from '@sluice/domain';

type Answers = readonly (Answer | SluiceError)[];

/** Batches in a row that must fail as a whole before the model is left alone. */
const failuresToOpen = 3;

/** How long a model is left alone before the next batch tries it: at first, and at most. With jitter (decorrelated). */
const dwell = { initialDelay: 1_000, maxDelay: 30_000 };

/** Every row of a batch failed in the model: the model is at fault, not a row. */
class ModelDown extends Error {
  readonly answers: Answers;

  constructor(answers: Answers) {
    super('every row of the batch failed in the model');
    this.answers = answers;
  }
}

/**
 * Keeps batches away from a model that fails them whole, so that their events go on to the fallback at once instead of waiting for one
 * time-out after the other. After the dwell time one batch tries it again.
 */
export class ModelBreaker {
  readonly #model: string;
  readonly #circuit = circuitBreaker(handleType(ModelDown), {
    breaker: new ConsecutiveBreaker(failuresToOpen),
    halfOpenAfter: new ExponentialBackoff(dwell),
  });

  constructor(model: string) {
    this.#model = model;
  }

  get isOpen(): boolean {
    return this.#circuit.state === CircuitState.Open;
  }

  /** Runs `infer` for `rows` rows, or answers each row with SLUICE_MODEL_FAILED while the breaker is open. */
  async guard(rows: number, infer: () => Promise<Answers>): Promise<Answers> {
    try {
      return await this.#circuit.execute(async () => {
        const answers = await infer();
        if (rows > 0 && answers.every(isModelFault)) throw new ModelDown(answers);
        return answers;
      });
    } catch (thrown) {
      if (thrown instanceof ModelDown) return thrown.answers;
      if (!(thrown instanceof BrokenCircuitError)) throw thrown;
      const error = new SluiceError(
        'SLUICE_MODEL_FAILED',
        `${this.#model} failed ${failuresToOpen} batches in a row and is left alone for a while`,
      );
      return Array.from({ length: rows }, () => error);
    }
  }
}

function isModelFault(answer: Answer | SluiceError): boolean {
  return answer instanceof SluiceError && answer.code === 'SLUICE_MODEL_FAILED';
}
