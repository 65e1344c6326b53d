/** The `reason` of a trail step: a name and, where there is one, what it is about. Short, because it travels with every event. */
export interface Reason {
  readonly name: string;
  readonly detail?: string | undefined;
}

/** `name` or `name:detail`. */
export function formatReason({ name, detail }: Reason): string {
  return detail === undefined ? name : `${name}:${detail}`;
}

export function parseReason(text: string): Reason {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text } : { name: text.slice(0, colon), detail: text.slice(colon + 1) };
}
