import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { faults, SluiceError, type Example, type Flow, type PolicySnapshot } from '@sluice/domain';
import { valueOf, type PolicyValue } from '@sluice/learning';
import { warmUp } from '@sluice/routing';

/** What a candidate changes about each policy of a log; heads stay those that the log cites, which had not seen the event. */
const candidateSchema = z.strictObject({
  threshold: z.number().gt(0).describe('Stop threshold tau.').optional(),
  auditRate: z.number().gt(0).max(1).optional(),
  heavyOnly: z.boolean().default(false),
});

export type Candidate = z.infer<typeof candidateSchema>;

/** @throws SluiceError SLUICE_CONFIG_INVALID */
export async function readCandidate(file: string): Promise<Candidate> {
  try {
    return parseCandidate(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    throw new SluiceError('SLUICE_CONFIG_INVALID', `the candidate ${file} cannot be read as JSON`, { cause });
  }
}

/** @throws SluiceError SLUICE_CONFIG_INVALID */
export function parseCandidate(document: unknown): Candidate {
  const result = candidateSchema.safeParse(document);
  if (result.success) return result.data;
  throw new SluiceError('SLUICE_CONFIG_INVALID', `the candidate has ${faults(result.error)}`);
}

export interface Log {
  readonly flow: Flow;
  readonly signatureWidth: number;
  /** Cost of each tier, heavy = 1. */
  readonly costs: readonly number[];
  readonly examples: readonly Example[];
  readonly policies: readonly PolicySnapshot[];
}

/** Values a candidate on the events of a log that were decided after warm-up. */
export function valueOnLog({ examples, policies, ...serving }: Log, { threshold, auditRate, heavyOnly }: Candidate): PolicyValue {
  const changes = { heavyOnly, ...(threshold !== undefined && { threshold }), ...(auditRate !== undefined && { auditRate }) };
  const byVersion = new Map(
    policies.filter(({ reason }) => reason !== warmUp).map((policy) => [policy.version, { ...policy, ...changes }]),
  );
  return valueOf({ ...serving, policy: ({ policyVersion }) => byVersion.get(policyVersion) }, examples);
}
