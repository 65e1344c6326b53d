/** Declared loss, feedback delays in events, and audit rate of every contender. */
export const setting = { maxLoss: 0.01, shadowDelay: 50, truthDelay: 500, publishEvery: 50, auditRate: 0.04 } as const;
