import { Certificate } from './certificate.ts';
import { seededRandom } from './simulation/index.ts';

const declared = 0.02;
const events = 3000;
const probability = 0.05;

/** Whether a certificate is ever broken over a stream of light answers with this loss. */
function everBroken(loss: number, seed: number): boolean {
  const random = seededRandom(seed);
  const certificate = new Certificate();
  for (let index = 0; index < events; index++) {
    const audited = random.uniform() < probability;
    certificate.served(`e${index}`, probability, audited);
    if (!audited) continue;
    const harmed = random.uniform() < loss;
    certificate.compared(`e${index}`, harmed);
    if (!harmed) continue;
    certificate.settled(`e${index}`, true);
    if (certificate.broken(declared)) return true;
  }
  return false;
}

describe('the certificate of a loss', () => {
  it('exactly as declared is ever broken in at most 25 of 1,000 streams', () => {
    let broken = 0;
    for (let seed = 1; seed <= 1000; seed++) if (everBroken(declared, seed)) broken++;
    expect(broken).toBeLessThanOrEqual(25);
  });

  it('fifteen times the declared one is broken in nine of ten streams', () => {
    let broken = 0;
    for (let seed = 1; seed <= 50; seed++) if (everBroken(15 * declared, seed)) broken++;
    expect(broken).toBeGreaterThanOrEqual(45);
  });
});
