/** Lists that come in pages. */

interface Page<T, Token> {
  readonly items: readonly T[] | undefined;
  readonly next: Token | undefined;
}

/** All items of a paged list; stops asking when the signal says so. */
export async function allPages<T, Token = string>(
  ask: (token: Token | undefined) => Promise<Page<T, Token>>,
  signal?: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  let token: Token | undefined;
  do {
    const page = await ask(token);
    found.push(...(page.items ?? []));
    token = page.next;
  } while (token !== undefined && !signal?.aborted);
  return found;
}
