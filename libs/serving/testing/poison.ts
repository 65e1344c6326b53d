/** First numbers of rows on which the faulty thread hangs, ends, throws, answers NaN, or answers too few numbers. */
export const poison = { hang: 101, exit: 102, throw: 103, nan: 104, short: 105 } as const;
