/** Which states may follow which: the whole of a small state machine as data. */
export type Transitions<State extends string> = { readonly [S in State]: readonly State[] };

/** A state machine whose illegal steps throw. Pipes, workers and breakers use it for their lifecycle. */
export interface Machine<State extends string> {
  readonly state: State;
  /** @throws Error when `next` may not follow the present state. */
  to(next: State): void;
  is(...states: readonly State[]): boolean;
}

export function defineMachine<State extends string>(
  name: string,
  transitions: Transitions<State>,
  { start, onChange }: { readonly start: NoInfer<State>; readonly onChange?: (from: State, to: State) => void },
): Machine<State> {
  let state = start;
  return {
    get state() {
      return state;
    },
    to(next) {
      if (!transitions[state].includes(next)) throw new Error(`${name}: ${state} cannot become ${next}`);
      const from = state;
      state = next;
      onChange?.(from, next);
    },
    is: (...states) => states.includes(state),
  };
}

/** The machine as a Mermaid drawing, for the docs. */
export function drawMachine<State extends string>(transitions: Transitions<State>): string {
  const lines = Object.entries<readonly State[]>(transitions).flatMap(([from, next]) => next.map((to) => `  ${from} --> ${to}`));
  return ['stateDiagram-v2', ...lines].join('\n');
}
