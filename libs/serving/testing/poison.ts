/** First numbers of rows on which the faulty thread hangs, ends, throws, answers NaN or too few numbers, or takes all memory it can get. */
export const poison = { hang: 101, exit: 102, throw: 103, nan: 104, short: 105, memory: 106 } as const;
