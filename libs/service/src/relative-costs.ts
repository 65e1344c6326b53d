import { costIn, costShares, SluiceError, type CostDimension, type Flow, type Manifest } from '@sluice/domain';

/**
 * Cost of each tier relative to the last (heavy) one: from their manifests, each dimension that the flow weighs divided by heavy's.
 * @throws SluiceError SLUICE_MODEL_INVALID naming the model and the dimension that its manifest lacks, or in which heavy costs nothing.
 */
export function relativeCosts(flow: Flow, manifests: readonly Manifest[]): readonly number[] {
  const heavy = manifests.at(-1)!;
  const shares = costShares(flow.cost);
  for (const [dimension] of shares) {
    if (statedIn(flow, heavy, dimension) > 0) continue;
    throw invalid(heavy, `costs no ${dimension}, but the heavy tier's cost is what flow ${flow.flow} measures others by`);
  }
  return manifests.map((manifest) =>
    shares.reduce((sum, [dimension, share]) => sum + share * (statedIn(flow, manifest, dimension) / statedIn(flow, heavy, dimension)), 0),
  );
}

function statedIn(flow: Flow, manifest: Manifest, dimension: CostDimension): number {
  const stated = costIn(manifest.cost, dimension);
  if (stated !== undefined) return stated;
  throw invalid(manifest, `states no cost.${dimension}, which flow ${flow.flow} weighs (cost.weights.${dimension})`);
}

function invalid({ model }: Manifest, fault: string): SluiceError {
  return new SluiceError('SLUICE_MODEL_INVALID', `the manifest of ${model} ${fault}`);
}
