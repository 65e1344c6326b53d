/** First line of what an error says; errors of another realm (a loader, a test's sandbox) are no instances of ours. */
export function messageOf(thrown: unknown): string {
  const message = (thrown as { message?: unknown } | null | undefined)?.message ?? thrown;
  return String(message).split('\n')[0] ?? '';
}
