/** First numbers of rows on which the faulty thread hangs, ends, throws, answers NaN or too few numbers, takes all memory it can get, or is gone for good. */
export const poison = { hang: 101, exit: 102, throw: 103, nan: 104, short: 105, memory: 106, gone: 107 } as const;
