import type { HtmlTagDescriptor, Plugin, Rolldown } from 'vite';

interface Options {
  /** The module's path. */
  readonly module: string;
  /** The path that the build is served at. */
  readonly base: string;
  readonly nonce: string;
}

/**
 * Has the page itself name the scripts and style sheets of one dynamically imported module, so that they come in
 * together with the script that imports it.
 */
export function loadedAtOnce({ module, base, nonce }: Options): Plugin {
  const link = (rel: string, name: string): HtmlTagDescriptor => ({
    tag: 'link',
    attrs: { rel, href: base + name, crossorigin: true, nonce },
    injectTo: 'head',
  });
  return {
    name: 'loaded-at-once',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((file): file is Rolldown.OutputChunk => file.type === 'chunk');
        const start = chunks.find(({ moduleIds }) => moduleIds.includes(module));
        if (start === undefined) throw new Error(`no chunk holds ${module}`);
        const needed = new Set<Rolldown.OutputChunk>();
        const add = (chunk: Rolldown.OutputChunk) => {
          if (needed.has(chunk) || html.includes(chunk.fileName)) return;
          needed.add(chunk);
          for (const name of chunk.imports) {
            const imported = bundle[name];
            if (imported?.type === 'chunk') add(imported);
          }
        };
        add(start);
        const styles = [...needed].flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]);
        return [
          ...[...needed].map(({ fileName }) => link('modulepreload', fileName)),
          ...styles.map((name) => link('stylesheet', name)),
        ];
      },
    },
  };
}

interface Modules {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** For `codeSplitting.groups`: puts `module` and all that it imports, other than dynamically, into `chunk`. */
export function reachedFrom(module: string, chunk: string) {
  let reached: ReadonlySet<string> | undefined;
  return (id: string, modules: Modules): string | null => {
    reached ??= reach(module, modules);
    return reached.has(id) ? chunk : null;
  };
}

function reach(module: string, modules: Modules): ReadonlySet<string> {
  const found = new Set([module]);
  // A set's walk also meets what is added meanwhile.
  for (const id of found) for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}
