/** The part of the engine's WebAssembly that is used here: TypeScript has its types only among those of browsers. */
interface Api {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { readonly env: object }) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { readonly initial: number }) => Memory;
}

export interface Memory {
  /** Another one after each `grow`. */
  readonly buffer: ArrayBuffer;
  /** By pages of 64 KiB. */
  grow(pages: number): number;
}

export const { WebAssembly: engine } = globalThis as unknown as { readonly WebAssembly: Api };
