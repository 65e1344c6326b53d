import hooks from 'kafkajs/src/producer/transactionsV2.js';
import { endTxn } from './end-txn.ts';
import { features } from './features.ts';
import { produce } from './produce.ts';
import type { Request } from './request.ts';
import { txnOffsetCommit } from './txn-offset-commit.ts';

/** Versions that a broker must know, by request: ApiVersions to be asked at all, the others to be used. */
const needed: readonly (readonly [apiKey: number, version: number])[] = [
  [18, 3],
  [0, 12],
  [26, 5],
  [28, 5],
];

type Versions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>>;

/** Whether the cluster speaks version 2 of the transaction protocol: a broker that knows the requests is asked for its features. */
async function negotiate(versions: Versions, send: <A>(request: Request<A>) => Promise<A>): Promise<boolean> {
  if (!needed.every(([key, version]) => (versions[key]?.maxVersion ?? -1) >= version)) return false;
  const { levels } = await send(features());
  return (levels.get('transaction.version') ?? 0) >= 2;
}

/** Lets transactional producers speak version 2 (KIP-890) wherever the cluster does (patch 019 asks for it). */
Object.assign(hooks, { negotiate, produce, txnOffsetCommit, endTxn });
