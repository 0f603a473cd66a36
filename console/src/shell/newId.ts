/** An id for something on the page. `crypto.randomUUID` is missing where the console is opened by plain http from afar. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
