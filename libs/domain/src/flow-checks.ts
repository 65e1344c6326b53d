import type { z } from 'zod';
import type { Flow } from './flow.ts';

/** What a flow document says in one place must fit what it says in others. Every fault is added to the context with its path. */
export function checkFlow(flow: Flow, context: z.RefinementCtx): void {
  const names = flow.tiers.map((entry) => entry.name);
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  for (const name of repeated) context.addIssue({ code: 'custom', path: ['tiers'], message: `tier ${name} is declared twice` });
  if (flow.target.measure === 'absolute' && flow.feedback.mode !== 'truth')
    context.addIssue({ code: 'custom', path: ['target', 'measure'], message: 'an absolute target needs feedback.mode truth' });
  if (flow.target.segments !== undefined && flow.target.primary === 'budget')
    context.addIssue({ code: 'custom', path: ['target', 'segments'], message: 'segments keep a loss: they need target.primary loss' });
  flow.rules.forEach((entry, index) => {
    if (!names.includes(entry.tier))
      context.addIssue({
        code: 'custom',
        path: ['rules', index, 'tier'],
        message: `no tier is called ${entry.tier}; known: ${names.join(', ')}`,
      });
  });
  const fallbacks = [{ path: ['fallback'], ways: flow.fallback, cached: flow.tiers.some(({ cacheMb }) => cacheMb !== undefined) }];
  flow.tiers.forEach(({ fallback: ways, cacheMb }, index) => {
    if (ways !== undefined) fallbacks.push({ path: ['tiers', String(index), 'fallback'], ways, cached: cacheMb !== undefined });
  });
  for (const { path, ways, cached } of fallbacks) {
    if (ways.includes('cached') && !cached) context.addIssue({ code: 'custom', path, message: 'cached needs a tier with cacheMb' });
    if (ways.slice(0, -1).includes('dead-letter')) context.addIssue({ code: 'custom', path, message: 'nothing comes after dead-letter' });
  }
  if (new Set(flow.retry.delaysMs).size < flow.retry.delaysMs.length)
    context.addIssue({
      code: 'custom',
      path: ['retry', 'delaysMs'],
      message: 'each delay needs a topic of its own: none may come twice',
    });
  if (flow.breaker.longestMs < flow.breaker.dwellMs)
    context.addIssue({ code: 'custom', path: ['breaker', 'longestMs'], message: 'must be at least dwellMs' });
  for (const [id, index] of Object.entries(flow.request.confluentIds)) {
    if (index >= flow.request.schemas.length)
      context.addIssue({ code: 'custom', path: ['request', 'confluentIds', id], message: `there is no schema ${index}` });
  }
}
