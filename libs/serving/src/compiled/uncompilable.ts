/** Thrown for a model that there is no code for, with the reason; other executors run it. */
export class Uncompilable extends Error {}
