import { Command, InvalidArgumentError } from 'commander';
import { topicSpecs } from '@sluice/contracts';
import { SluiceError, type Flow } from '@sluice/domain';
import { loadFlow } from '@sluice/service';
import { kafkaBus, type Bus } from '@sluice/streaming';
import { readLetters, type LetterFilter } from './letters.ts';
import { redrive } from './redrive.ts';
import { renderCounts, renderLetter, renderLetters } from './render.ts';

interface DlqOptions extends LetterFilter {
  readonly flow: string;
  readonly brokers: string;
}

/** `sluice dlq`: what was refused, why, and how it gets another chance. */
export function dlqCommand(): Command {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const filtered = (name: string) =>
    reading(name)
      .option('--code <code>', 'only this code of docs/errors.md')
      .option('--stage <name>', 'only what this app or model refused')
      .option('--since <time>', 'only from this time on (RFC 3339)', time)
      .option('--until <time>', 'only before this time (RFC 3339)', time);
  return new Command('dlq')
    .description('Dead letters of a flow: what was refused and why, and how it gets another chance.')
    .addCommand(
      filtered('list')
        .description('Lists dead letters, oldest first, and counts them by code.')
        .action((options: DlqOptions) =>
          withBus(options, async (bus, { flow }) => {
            const letters = await readLetters(bus, flow, options);
            print(`${renderLetters(letters)}\n${renderCounts(letters)}`);
          }),
        ),
    )
    .addCommand(
      reading('show')
        .description('Shows one dead letter with its cause, origin and headers.')
        .argument('<place>', 'topic/partition/offset, as `list` prints it')
        .action((place: string, options: DlqOptions) =>
          withBus(options, async (bus, { flow }) => {
            const letter = (await readLetters(bus, flow)).find((one) => one.place === place);
            if (letter === undefined) throw new SluiceError('SLUICE_DATA_MISSING', `there is no dead letter at ${place}`);
            print(renderLetter(letter));
          }),
        ),
    )
    .addCommand(
      filtered('redrive')
        .description('Sends the records of dead letters back to where they were refused, each once, however often this is called.')
        .action((options: DlqOptions) =>
          withBus(options, async (bus, flow) => {
            await bus.ensureTopics(topicSpecs(flow));
            const { sent, before, left } = await redrive(bus, flow.flow, options);
            print(`${sent.length} sent again, ${before} were before, ${left} are drops or hold no single record`);
          }),
        ),
    );
}

function reading(name: string): Command {
  return new Command(name)
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers');
}

async function withBus({ flow: file, brokers }: DlqOptions, work: (bus: Bus, flow: Flow) => Promise<void>): Promise<void> {
  const { flow } = await loadFlow(file);
  const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-dlq' });
  try {
    await work(bus, flow);
  } finally {
    await bus.close();
  }
}

function time(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('a time such as 2026-01-31T12:00:00Z is expected.');
  return value;
}
