import { Command } from 'commander';
import { SluiceError } from '@sluice/domain';
import { CalibrationStore, keptCalibration, loadModel, openServer, stateDir } from '@sluice/serving';
import { loadFlow, systemClock } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { join } from 'node:path';
import { addModel } from './add.ts';
import { Catalog } from './catalog.ts';
import { listStored, readStored, unstore } from './store.ts';
import { keptTable, measuredTable, versionsTable } from './tables.ts';

interface Shared {
  readonly models: string;
  readonly flow: string;
  readonly brokers?: string;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const now = (): number => systemClock.now();

/** `sluice models`: the versions of models that a running system serves. */
export function modelsCommand(): Command {
  const models = new Command('models').description('Adds, lists, measures and removes versions of models while the system runs.');
  shared(models, 'add <dir>', 'checks a model folder, measures it, and lets the running workers take it up')
    .option('--sample <file>', 'labelled requests, one JSON object a line, to fit the calibration on')
    .action(add);
  shared(models, 'list', 'every version, which of them the catalog names, and how many workers serve it').action(list);
  shared(models, 'show <name>', 'manifest and measurements of MODEL or MODEL@VERSION').action(show);
  shared(
    models,
    'bench <name>',
    'shows how fast MODEL or MODEL@VERSION was here, and measures it anew on every executor that loads',
  ).action(bench);
  shared(models, 'remove <name>', 'MODEL: back to the version the flow started with; MODEL@VERSION: deletes its folder').action(remove);
  models
    .command('import-nsfwjs <package> <out>')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .description('makes model folders of the two image networks in the npm package nsfwjs (unpacked at PACKAGE)')
    .action(async (from: string, out: string) => {
      const { writePhotoModels } = await import('@sluice/demo');
      for (const { model, version } of await writePhotoModels(from, out)) say(`${model}@${version} lies in ${join(out, model)}`);
    });
  return models;
}

function shared(parent: Command, signature: string, description: string): Command {
  return parent
    .command(signature)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .description(description)
    .option('--models <dir>', 'folder of all models', 'tools/demo/models')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .option('--brokers <list>', 'Kafka bootstrap servers of the running system');
}

async function add(dir: string, { models, flow: file, brokers, sample }: Shared & { readonly sample?: string }): Promise<void> {
  const { flow, schemas } = await loadFlow(file);
  const entry = await addModel({ dir, flow, schemas, models, now, ...(sample !== undefined && { sample }) });
  say(measuredTable(entry.measured));
  const { calibration } = (await readStored(models, entry.folder)).manifest;
  if (calibration)
    say(
      `calibration: temperature ${calibration.temperature}, log-loss ${calibration.before.toFixed(4)} -> ${calibration.after.toFixed(4)}`,
    );
  say(`${entry.model}@${entry.version} lies in ${join(models, entry.folder)}`);
  if (brokers === undefined) return say('not published: no --brokers given');
  await onCatalog(brokers, async (catalog) => {
    await catalog.publish(entry);
    const workers = await catalog.taken(entry.model, entry.version);
    if (workers === undefined)
      throw new SluiceError(
        'SLUICE_MODEL_INVALID',
        `published, but not every worker has taken up ${entry.model}@${entry.version}; see inference.version-refused in their logs`,
      );
    say(workers.length === 0 ? 'published; no worker runs yet' : `published; served by ${workers.join(', ')}`);
  });
}

async function list({ models, brokers }: Shared): Promise<void> {
  const stored = await listStored(models);
  if (brokers === undefined) return say(versionsTable(stored, [], []));
  await onCatalog(brokers, async (catalog) => say(versionsTable(stored, await catalog.entries(), await catalog.healths())));
}

async function show(name: string, { models, brokers }: Shared): Promise<void> {
  const { manifest } = await readStored(models, name);
  say(JSON.stringify({ ...manifest, input: { ...manifest.input, features: `${manifest.input.features.length} features` } }, null, 2));
  if (brokers === undefined) return;
  await onCatalog(brokers, async (catalog) => {
    const entry = (await catalog.entries()).find(({ folder }) => folder === name);
    say(entry ? measuredTable(entry.measured) : 'the catalog does not name this version');
  });
}

const places = { inline: 'in their own thread', thread: 'in a thread', process: 'in a process of its own' } as const;

/** What workers on this machine take from an earlier measurement, then all of it measured anew, for them too. */
async function bench(name: string, { models, flow }: Shared): Promise<void> {
  const { schemas } = await loadFlow(flow);
  const folder = join(stateDir(), 'calibrations');
  const options = { dir: join(models, name), schemas };
  const kept = await keptCalibration({ ...options, calibrations: new CalibrationStore({ folder }) });
  say(kept ? keptTable(kept) : `nothing is kept of ${name} on this machine, as it is now`);
  const { examineModel } = await import('@sluice/serving/examine');
  say(`\nmeasured now, each against the oracle:\n${measuredTable(await examineModel(await loadModel(options.dir, schemas)))}`);
  const server = await openServer({ ...options, calibrations: new CalibrationStore({ folder, anew: true }) });
  const { name: executor, placement, why } = server.backend;
  say(`\nworkers that start here from now on take ${executor}, ${places[placement]} (${why})`);
  await server.close();
}

async function remove(name: string, { models, brokers }: Shared): Promise<void> {
  const [model, version] = name.split('@') as [string, string | undefined];
  if (brokers === undefined) throw new SluiceError('SLUICE_CONFIG_INVALID', 'models remove needs --brokers: it must know what is served.');
  await onCatalog(brokers, async (catalog) => {
    if (version === undefined) {
      await catalog.withdraw(model);
      return say(`${model}: workers go back to ${join(models, model)}`);
    }
    if ((await catalog.entries()).some(({ folder }) => folder === name))
      throw new SluiceError('SLUICE_CONFIG_INVALID', `the catalog names ${name}: add another version, or remove ${model}, first.`);
    await unstore(models, name);
    say(`${join(models, name)} is deleted`);
  });
}

async function onCatalog(brokers: string, work: (catalog: Catalog) => Promise<void>): Promise<void> {
  const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-models' });
  try {
    await work(new Catalog(bus, now));
  } finally {
    await bus.close();
  }
}
