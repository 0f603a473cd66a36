// Writes the compressed forms of the built files beside them, so that the server only has to choose one.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const FOLDER = new URL('../../src/firefork/console/', import.meta.url).pathname;
const COMPRESSIBLE = /\.(js|css|svg|json)$/;
// Below this size the headers weigh more than what is saved.
const SMALLEST = 1024;

for (const name of readdirSync(FOLDER, { recursive: true })) {
  const path = join(FOLDER, name);
  if (!COMPRESSIBLE.test(name) || statSync(path).size < SMALLEST) continue;
  const content = readFileSync(path);
  const options = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  };
  writeFileSync(`${path}.br`, brotliCompressSync(content, options));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
