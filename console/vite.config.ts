import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: '/_firefork/console/',
  plugins: [react()],
  // The server replaces this by a nonce of its own in every answer.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../src/firefork/console',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the content policy allows fonts and scripts from our own address only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
  server: { proxy: { '/_firefork/code': 'http://127.0.0.1:4566', '/2015-03-31': 'http://127.0.0.1:4566' } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
