import { Command, CommanderError } from 'commander';
import { SluiceError } from '@sluice/domain';
import { reportAndExit } from '@sluice/service';
import { chaosCommand } from './chaos/command.ts';
import { demoCommand } from './demo/options.ts';
import { dlqCommand } from './dlq/command.ts';
import { docsCommand } from './docs.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { guaranteeCommand } from './guarantee.ts';
import { modelsCommand } from './models/command.ts';
import { replayCommand } from './replay.ts';
import { switchCommand } from './switch.ts';
import { trainCommand } from './train.ts';
import { valueCommand } from './value/command.ts';
import { warmStartCommand } from './warm-start.ts';

const program = new Command('sluice')
  .description('Tiered model serving on Kafka.')
  .exitOverride()
  .configureOutput({ writeErr: () => undefined })
  .addCommand(demoCommand(async (options) => (await import('./demo/run.ts')).runDemo(options)))
  .addCommand(switchCommand())
  .addCommand(trainCommand())
  .addCommand(modelsCommand())
  .addCommand(warmStartCommand())
  .addCommand(doctorCommand())
  .addCommand(explainCommand())
  .addCommand(replayCommand())
  .addCommand(guaranteeCommand())
  .addCommand(valueCommand())
  .addCommand(chaosCommand(async (options) => (await import('./chaos/run.ts')).runChaos(options)))
  .addCommand(dlqCommand())
  .addCommand(docsCommand());
for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
  command.exitOverride().configureOutput({ writeErr: () => undefined });
}

try {
  await program.parseAsync();
} catch (thrown) {
  if (!(thrown instanceof CommanderError)) reportAndExit(process, thrown);
  else if (thrown.exitCode === 0) process.exitCode = 0;
  else reportAndExit(process, new SluiceError('SLUICE_CONFIG_INVALID', thrown.message.replace(/^error: /, '')));
}
