import { describe, expect, it } from 'vitest';
import { loadedAtOnce, reachedFrom } from '../build/loadedAtOnce.ts';

const IMPORTS: Record<string, string[]> = { start: ['a', 'b'], a: ['c'], b: ['a'], c: ['start'], lazy: ['d'], d: [] };
const modules = { getModuleInfo: (id: string) => ({ importedIds: IMPORTS[id] ?? [] }) };

describe('reachedFrom', () => {
  it('takes a module and all that it imports, in a circle too, and nothing else', () => {
    const chunkOf = reachedFrom('start', 'first');
    expect(Object.keys(IMPORTS).filter((id) => chunkOf(id, modules) === 'first')).toEqual(['start', 'a', 'b', 'c']);
  });
});

describe('loadedAtOnce', () => {
  const chunk = (fileName: string, imports: string[], moduleIds: string[] = [], css: string[] = []) => ({
    type: 'chunk',
    fileName,
    imports,
    moduleIds,
    viteMetadata: { importedCss: new Set(css) },
  });
  const bundle = {
    'start.js': chunk('start.js', []),
    'show.js': chunk('show.js', ['shared.js', 'start.js'], ['/src/show.tsx'], ['show.css']),
    'shared.js': chunk('shared.js', []),
    'other.js': chunk('other.js', ['shared.js'], ['/src/other.tsx']),
  };
  const transform = (module: string) => {
    const { transformIndexHtml } = loadedAtOnce({ module, base: '/c/', nonce: 'once' });
    const { handler } = transformIndexHtml as unknown as {
      handler: (html: string, context: object) => { attrs: { rel: string; href: string; nonce: string } }[];
    };
    return handler('<script src="/c/start.js">', { bundle });
  };

  it('names what the page does not have yet, scripts before style sheets', () => {
    expect(transform('/src/show.tsx').map(({ attrs }) => [attrs.rel, attrs.href, attrs.nonce])).toEqual([
      ['modulepreload', '/c/show.js', 'once'],
      ['modulepreload', '/c/shared.js', 'once'],
      ['stylesheet', '/c/show.css', 'once'],
    ]);
  });

  it('refuses a module that is in no script', () => {
    expect(() => transform('/src/gone.tsx')).toThrow('no chunk holds /src/gone.tsx');
  });
});
