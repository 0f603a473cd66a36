import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { fontFiles } from './build/fontFiles.ts';
import { loadedAtOnce, reachedFrom } from './build/loadedAtOnce.ts';

const BASE = '/_firefork/console/';
/** What the server replaces by a nonce of its own in every answer. */
const NONCE = '__CSP_NONCE__';
/** Draws the first page; all that it imports comes in two scripts and one style sheet. */
const SHOW = fileURLToPath(new URL('src/show.tsx', import.meta.url));
const FIRST = 'first';
/** Libraries that the first page needs, and most of whose functions it does not call: not worth to be compiled ahead. */
const HARDLY_CALLED = /@smithy|@aws-sdk|@aws-crypto|@dnd-kit|date-fns|i18n\/messages/;
/** What runs before it, with the bundler's own helpers, which the others must not draw into theirs. */
const START = /\/src\/main\.ts$|\/session\/redeem\.ts$|vite\/preload-helper|rolldown\/runtime/;

export default defineConfig({
  base: BASE,
  plugins: [react(), fontFiles(), loadedAtOnce({ module: SHOW, base: BASE, nonce: NONCE })],
  html: { cspNonce: NONCE },
  resolve: {
    alias: {
      // Cloudscape's messages come parsed: the parser of their format is never called.
      '@formatjs/icu-messageformat-parser': '@formatjs/icu-messageformat-parser/lib/no-parser',
    },
  },
  build: {
    outDir: '../src/firefork/console',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the content policy allows fonts and scripts from our own address only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      output: {
        // A hint for V8 (v8.dev/blog/explicit-compile-hints): the whole script is compiled while it comes in, on a thread
        // of its own. Compiled one by one at their first call, its functions held up the page's own thread.
        postBanner: ({ name }) => (name === FIRST ? '//# allFunctionsCalledOnLoad' : ''),
        codeSplitting: {
          groups: [
            { name: 'start', test: START, priority: 1 },
            { name: reachedFrom(SHOW, 'rest'), test: HARDLY_CALLED, debugName: 'rest', priority: 1 },
            { name: reachedFrom(SHOW, FIRST), debugName: FIRST },
          ],
        },
      },
    },
  },
  server: { proxy: { '/_firefork/code': 'http://127.0.0.1:4566', '/2015-03-31': 'http://127.0.0.1:4566' } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
