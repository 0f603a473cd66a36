import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

const INLINE_FONT = /url\(['"]?data:font\/woff2;base64,([A-Za-z0-9+/=]+)['"]?\)/g;

/**
 * Cloudscape's global style sheet holds eight fonts as data: 185 kB that would hold up the first paint.
 * As files only those are fetched that a text needs, after the page is drawn.
 */
export function fontFiles(): Plugin {
  let base = '/';
  return {
    name: 'font-files',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      base = config.base;
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'asset' || !file.fileName.endsWith('.css')) continue;
        file.source = String(file.source).replace(INLINE_FONT, (_, data: string) => {
          const source = Buffer.from(data, 'base64');
          const fileName = `assets/font-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.woff2`;
          this.emitFile({ type: 'asset', fileName, source });
          return `url(${base}${fileName})`;
        });
      }
    },
  };
}
