/** Run by engine.sh: builds the local Kafka image unless the engine has it. */
import { findJava } from './java.ts';
import { ensureJars } from './kafka-jars.ts';
import { buildImage, hasImage, localImage } from './image.ts';
import { defaultStateDir } from './state-dir.ts';

const say = (text: string): void => console.log(`engine: ${text}`);

if (await hasImage(localImage)) say(`${localImage} is there`);
else {
  const java = await findJava(defaultStateDir(), say);
  const fetched = typeof java === 'string' ? java : await ensureJars(defaultStateDir(), java, say);
  if (typeof fetched === 'string') throw new Error(fetched);
  await buildImage(fetched.jars, say);
}
