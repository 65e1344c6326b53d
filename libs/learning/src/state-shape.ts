import type { Flow } from '@sluice/domain';
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { HeadShape } from './tier-heads.ts';

/** Version of the state bytes; another one is refused. */
const stateVersion = 3;

/** What a state begins with: all that must agree with the flow for the rest to mean anything. */
export function writeShape(to: ByteWriter, flow: Flow, shape: HeadShape): void {
  to.u8(stateVersion).u32(shape.signatureWidth).u32(shape.labels).u32(flow.tiers.length);
  for (const tier of flow.tiers) to.text(tier.name);
}

/** @throws RangeError when the state is of another version, other tiers or other labels. */
export function readShape(from: ByteReader, flow: Flow): HeadShape {
  const version = from.u8();
  if (version !== stateVersion) throw new RangeError(`version ${version} of the state is not known`);
  const shape = { signatureWidth: from.u32(), labels: from.u32() };
  const tiers = Array.from({ length: from.u32() }, () => from.text());
  const fits = shape.labels === flow.labels.length && tiers.join() === flow.tiers.map((tier) => tier.name).join();
  if (!fits) throw new RangeError(`the state is of tiers ${tiers.join(', ')} with ${shape.labels} labels`);
  return shape;
}
