import { execFile } from 'node:child_process';
import { mkdir, rm, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Room for the state that an event leaves in the join while its window is open, several times over. */
const bytesPerEvent = 4_000;
const ballast = 'ballast';
/** Bytes of the disk mounted at a folder. */
const mounted = new Map<string, number>();

/** A disk of its own for `folder` with room for the state of so many events, where root may have one; it goes when the cell ends. */
export async function smallDisk(folder: string, events: number, defer: (undo: () => Promise<void>) => void): Promise<void> {
  const size = events * bytesPerEvent;
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  } catch {
    return;
  }
  mounted.set(folder, size);
  defer(async () => {
    mounted.delete(folder);
    // A process that still runs may hold a file there: detach, and the disk goes with its last user.
    await run('umount', ['--lazy', folder]);
  });
}

/** Leaves no byte free; where there is no disk of its own, a file takes the place of the folder, and nothing can be written there either. */
export async function fillDisk(folder: string): Promise<{ readonly how: string; readonly free: () => Promise<void> }> {
  const size = mounted.get(folder);
  if (size !== undefined) {
    const file = join(folder, ballast);
    await writeFile(file, Buffer.alloc(size)).catch(() => undefined);
    return { how: `the disk is full (tmpfs of ${size >> 20} MiB)`, free: () => rm(file) };
  }
  const aside = `${folder}-aside`;
  await rename(folder, aside);
  await writeFile(folder, '');
  return {
    how: 'the folder cannot be written (no right to mount a small disk)',
    free: async () => {
      await rm(folder);
      await rename(aside, folder);
    },
  };
}
