import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '@sluice/domain';
import { loadConfig } from './config.ts';
import { fieldsOf } from './config-fields.ts';

const schema = z.object({
  brokers: z.array(z.string()).default(['127.0.0.1:9092']),
  maxSlice: z.number().int().min(1).default(500).describe('Most records in one transaction'),
  requireGpu: z.boolean().default(false),
  mode: z.enum(['exactly-once', 'at-least-once']).default('exactly-once'),
  password: z.string().min(8).optional(),
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  return file;
}

function faultOf(read: () => unknown): SluiceError {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
  }
  throw new Error('no SluiceError was thrown');
}

describe('loadConfig', () => {
  it('uses the defaults of the schema when nothing is given', () => {
    expect(loadConfig(schema, {})).toEqual({ brokers: ['127.0.0.1:9092'], maxSlice: 500, requireGpu: false, mode: 'exactly-once' });
  });

  it('lets flags win over the environment, and the environment over the file', () => {
    const file = fileWith('maxSlice: 1\nmode: at-least-once\nbrokers: [file:1]\n');
    const env = { SLUICE_MAX_SLICE: '2', SLUICE_BROKERS: 'env:1, env:2' };
    expect(loadConfig(schema, { file, env, flags: { maxSlice: '3' } })).toMatchObject({
      maxSlice: 3,
      brokers: ['env:1', 'env:2'],
      mode: 'at-least-once',
    });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['FALSE', false],
    ['0', false],
  ])('reads the boolean text %s', (text, value) => {
    expect(loadConfig(schema, { env: { SLUICE_REQUIRE_GPU: text } }).requireGpu).toBe(value);
  });

  it('lists every fault with its key and the source of the wrong value', () => {
    const error = faultOf(() =>
      loadConfig(schema, {
        file: fileWith('nonsense: 1\nmode: twice\n'),
        env: { SLUICE_MAX_SLICE: 'many' },
        flags: { requireGpu: 'perhaps' },
      }),
    );
    expect(error.code).toBe('SLUICE_CONFIG_INVALID');
    expect(error.message).toContain('4 faults');
    expect(error.message).toContain('maxSlice (SLUICE_MAX_SLICE)');
    expect(error.message).toContain('requireGpu (--require-gpu)');
    expect(error.message).toMatch(/mode \(.*config\.yaml\)/);
    expect(error.message).toMatch(/nonsense \(.*config\.yaml\): no such option/);
  });

  it('never repeats a value in the message', () => {
    expect(faultOf(() => loadConfig(schema, { env: { SLUICE_PASSWORD: 'hunter2' } })).message).not.toContain('hunter2');
  });

  it.each([
    ['a missing file', () => join(folder, 'absent.yaml')],
    ['a file that is not YAML', () => fileWith('a: [')],
    ['a list instead of keys', () => fileWith('- a\n')],
  ])('refuses %s', (_, file) => {
    expect(faultOf(() => loadConfig(schema, { file: file() })).code).toBe('SLUICE_CONFIG_INVALID');
  });

  it('accepts an empty file', () => {
    expect(loadConfig(schema, { file: fileWith('') }).maxSlice).toBe(500);
  });
});

describe('fieldsOf', () => {
  it('derives environment name, flag, kind and default of each option', () => {
    expect(fieldsOf(schema).find((field) => field.key === 'maxSlice')).toEqual({
      key: 'maxSlice',
      env: 'SLUICE_MAX_SLICE',
      flag: '--max-slice',
      kind: 'number',
      choices: [],
      required: false,
      default: 500,
      description: 'Most records in one transaction',
    });
  });
});
